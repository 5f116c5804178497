/* N runs, one advisory lock, one shared label. The lock is released after the base's label, or with -DKEEP at the end.
   No property: the whole space is visited. */
bit lock = 0;
byte label = 0;

active [N] proctype ci_run() {
    byte work = 0, seen = 0;
    atomic { lock == 0 -> lock = 1 };
    work = 1; work = 2; work = 3; work = 4;
    label = 1;
#ifndef KEEP
    lock = 0;
#endif
    work = 5; work = 6; work = 7;
    label = 2;
    work = 8; work = 9;
    d_step { seen = label; seen = 0 };
#ifdef KEEP
    lock = 0;
#endif
}
