/* Two-phase commit with N resource managers (Gray and Lamport 2006): the coordinator hears votes in any order. */
#define NOBODY 0
#define COMMIT 1
#define ABORT 2
bit voted[N], heard[N];
byte yes = 0, decision = NOBODY, committed = 0, aborted = 0;
#define ALIKE (committed == 0 || aborted == 0)
#define HEAR(i) :: d_step { voted[i] && !heard[i] -> heard[i] = 1; yes++ }

active [N] proctype manager() {
    if
    :: voted[_pid] = 1;
       if
       :: d_step { decision == COMMIT -> committed = 1; assert(ALIKE) }
       :: d_step { decision == ABORT -> aborted = 1; assert(ALIKE) }
       fi
    :: d_step { aborted = 1; assert(ALIKE) }
    fi
}

active proctype coordinator() {
    do
#if N > 0
    HEAR(0)
#endif
#if N > 1
    HEAR(1)
#endif
#if N > 2
    HEAR(2)
#endif
#if N > 3
    HEAR(3)
#endif
#if N > 4
    HEAR(4)
#endif
#if N > 5
    HEAR(5)
#endif
#if N > 6
    HEAR(6)
#endif
#if N > 7
    HEAR(7)
#endif
#if N > 8
    HEAR(8)
#endif
#if N > 9
    HEAR(9)
#endif
#if N > 10
    HEAR(10)
#endif
#if N > 11
    HEAR(11)
#endif
    :: yes == N -> decision = COMMIT; break
    :: decision = ABORT; break
    od
}
