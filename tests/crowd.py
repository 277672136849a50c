#!/usr/bin/env python3
"""crowd: becomes so many threads that a keeper gets a copy of its caller's memory (MANY_THREADS in src/keep/keeper.c).

Prints "ready" when they are there, and ends when its standard input does.
"""

import sys
import threading

THREADS = 600

threading.stack_size(64 * 1024)
end = threading.Event()
for _ in range(THREADS):
    threading.Thread(target=end.wait, daemon=True).start()
print("ready", flush=True)
sys.stdin.read()
