#!/usr/bin/env bash
# Every link from one document of the project to another place in it leads somewhere.
. "$(dirname "$0")/lib.sh"

mapfile -t documents < <(cd "$root" && find . -name '*.md' -not -path './build*' -printf '%P\n')
ok '((${#documents[@]} >= 8))' "there are ${#documents[@]} documents"

# headings FILE: how links name its headings.
headings() {
    sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' | sed "s/[^a-z0-9 _-]//g; s/ /-/g"
}

# Below a line "FILE: LINK" for each that leads nowhere.
dead() {
    local document link path anchor

    for document in "${documents[@]}"; do
        while IFS= read -r link; do
            path=${link%%#*} anchor=
            [[ $link != *'#'* ]] || anchor=${link#*#}
            path=$root/$(dirname "$document")/$path
            [[ $link != '#'* ]] || path=$root/$document
            if [[ ! -e $path ]]; then
                echo "$document: $link"
            elif [[ $anchor ]] && ! headings "$path" | grep -qxF -- "$anchor"; then
                echo "$document: $link has no such heading"
            fi
        done < <(grep -oE '\]\([^)]+\)' "$root/$document" | sed 's/^](//; s/)$//' | grep -v '^[a-z]*://')
    done
}

is "$(dead)" '' "every link leads somewhere"
done_testing
