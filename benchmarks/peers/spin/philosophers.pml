/* Dining philosophers, one meal each; with -DORDERED the last one takes the lower fork first. */
bit fork[N];

active [N] proctype philosopher() {
#ifdef ORDERED
    byte first = (_pid == N - 1 -> 0 : _pid), second = (_pid == N - 1 -> N - 1 : _pid + 1);
#else
    byte first = _pid, second = (_pid + 1) % N;
#endif
    atomic { fork[first] == 0 -> fork[first] = 1 };
    atomic { fork[second] == 0 -> fork[second] = 1 };
    skip;
    fork[second] = 0;
    fork[first] = 0
}
