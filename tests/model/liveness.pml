/*
 * liveness - every waiter is admitted, if holders end.
 */
#if ROUNDS
ltl served { [] (waits[1] -> <> !waits[1]) }
#endif
