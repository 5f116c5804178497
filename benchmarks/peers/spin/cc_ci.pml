/* The incident's protocol: N runs of one recipe on one stack. The app-domain lock covers deploy_app (the document's
   placement), or with -DSAFE everything from deploy_app to the check. A run's checkout is its own. */
#define NONE 0
#define BASE 1
#define HEAD 2
bit domain = 0;
byte stamp = NONE;  /* on the live service */

active [N] proctype ci_run() {
    byte tree = NONE, step = 0, seen = NONE;
    step = 1; tree = HEAD;                                  /* fetch_recipe */
    atomic { domain == 0 -> domain = 1 };
    step = 2; tree = BASE; step = 3; step = 4; step = 5; step = 6;  /* deploy_app: checkout, overlay, HEAD, dirt, files */
    stamp = BASE;
#ifndef SAFE
    domain = 0;
#endif
    step = 7; tree = HEAD;                                  /* checkout_head */
    step = 8; step = 9; step = 10; step = 11; step = 12;    /* chaos_redeploy: delay, overlay, HEAD, dirt, files */
    stamp = HEAD;
    step = 13;                                              /* wait_converged */
    d_step { seen = stamp; assert(seen != BASE); seen = NONE };  /* check_hc1 */
#ifdef SAFE
    domain = 0;
#endif
    step = 14;
    stamp = NONE                                            /* teardown */
}
