/*
 * The claim protocol for one asset, checked exhaustively by spin (test/property/ledger/protocol-model.test.ts):
 *
 *   spin -DCLAIMANTS=2 -DTRIES=2 -a docs/protocol.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan -m100000
 *
 * docs/protocol.md maps each part to the code. Several claimants try to upload the same asset. Any of them may be
 * paused for as long as it likes (that is: another process moves), so that its lease runs out under it; crash at any
 * point; or give up waiting for a store that answers late, after which its upload still takes effect. The ledger may
 * be lost at any moment.
 *
 * What holds in every state:
 *   fencing       only the newest claim ever granted settles
 *   whole         the ledger says stored only of a copy that is whole at the store
 *   no duplicate  the store creates one asset
 *   one upload    without a lapsed lease, a lost ledger or an abandoned upload, at most one is in flight
 *   it ends       when the claimants are done or dead, one more claimant can always finish the asset
 *
 * Each of -DNO_FENCING, -DRANDOM_ID, -DSETTLE_EARLY, -DNO_PROOF, -DNO_EXPIRY, -DNO_CLAIM breaks the protocol in one
 * place; spin must find each.
 */

#ifndef CLAIMANTS
#define CLAIMANTS 2
#endif
#ifndef TRIES
#define TRIES 2
#endif
#define SWEEPER CLAIMANTS
#define EVERYBODY 4 /* three claimants at most, and the one that comes last */

mtype:state = { none, claimed, stored, failed };
mtype:copy = { nothing, cut, whole };
mtype:how = { by_url, by_bytes };

/* The ledger's cell. Its clock is time itself: it survives the loss of everything else. */
mtype:state state = none;
byte newest = 0;
bool lease_live = false;
byte clock = 0;
bool may_be_lost = true;

/* The store: what is under the asset's public ID. */
mtype:copy copy = nothing;
byte created = 0;
chan uploads[EVERYBODY] = [4] of { byte, mtype:how };
byte ticket[EVERYBODY];
mtype:copy answer[EVERYBODY];

/* What only the checks know. */
byte granted = 0;
byte in_flight = 0;
bool excused = false;
byte finished = 0;
bool ended = false;

/* transitions.ts: mayClaim, claimAsset. A token is newer than all before, whatever was lost. */
#ifdef NO_CLAIM
#define CLAIMABLE (state != stored)
#else
#define CLAIMABLE (state == none || state == failed || (state == claimed && !lease_live))
#endif

inline claim() {
  clock++;
  token = clock;
  newest = token;
  granted = token;
  state = claimed;
  lease_live = true
}

/* transitions.ts: heldBy */
#ifdef NO_FENCING
#define HELD (state == claimed)
#else
#define HELD (state == claimed && newest == token)
#endif

/* transitions.ts: settleClaim */
inline settle(outcome) {
  atomic {
    if
    :: HELD ->
       assert(token == granted);
       state = outcome;
       lease_live = false
    :: else -> skip
    fi
  }
}

/* migration/attempt.ts: one request to the store. */
inline upload(way) {
  atomic {
    ticket[me]++;
    answer[me] = nothing;
    uploads[me]!ticket[me], way;
    in_flight++;
    assert(in_flight <= 1 || excused)
  }
}

proctype Claimant(byte me) {
  byte token = 0;
  byte tries = 0;
  mtype:copy got;

  do
  :: tries == TRIES -> break
  :: tries < TRIES ->
     tries++;
     atomic {
       if
       :: CLAIMABLE -> claim()
       :: else -> goto served_from_the_origin
       fi
     }
#ifdef SETTLE_EARLY
     settle(stored);
#endif
     upload(by_url);
     do
     :: answer[me] != nothing -> got = answer[me]; break
     :: HELD && !lease_live -> lease_live = true /* renewed in time, or after the lease but before anybody else */
     :: true -> goto abandoned
     od;
#ifndef NO_PROOF
     if
     :: got == cut ->
        /* not proven whole: we read the origin ourselves and send its bytes, with overwrite */
        upload(by_bytes);
        if
        :: answer[me] != nothing -> got = answer[me]
        :: true -> goto abandoned
        fi
     :: else -> skip
     fi;
#endif
     settle(stored);
     goto served_from_the_origin;

abandoned:
     atomic {
       /* too late, or the process died: the request is still on its way */
       ticket[me]++;
       excused = excused || len(uploads[me]) > 0
     }
     if
     :: settle(failed)
     :: skip /* crashed: the claim stands until its lease ends */
     fi;

served_from_the_origin:
     /* What is of no more use must not tell states apart. */
     atomic { token = 0; got = nothing; answer[me] = nothing }
  od;
  finished++
}

/* The store takes effect when it likes; the answer reaches only who still waits. */
active proctype Store() {
  byte from, number;
  mtype:how way;

end:
  do
  :: atomic {
       if
       :: uploads[0]?number, way -> from = 0
       :: uploads[1]?number, way -> from = 1
       :: uploads[2]?number, way -> from = 2
       :: uploads[3]?number, way -> from = 3
       fi;
       if
       :: copy == nothing ->
          created++;
          if
          :: copy = whole
          :: way == by_url -> copy = cut /* the store read the origin at a bad moment */
          fi
       :: copy != nothing && way == by_bytes -> copy = whole
       :: copy != nothing && way == by_url ->
#ifdef RANDOM_ID
          created++
#else
          skip /* overwrite=false: existing */
#endif
       fi;
       assert(created <= 1);
       in_flight--;
       if
       :: number == ticket[from] -> answer[from] = copy
       :: else -> skip
       fi
     }
  od
}

/* Time passes, and once everything the ledger knows is lost. */
active proctype Fate() {
end:
  do
#ifndef NO_EXPIRY
  :: atomic { state == claimed && lease_live -> lease_live = false; excused = true }
#endif
  :: atomic {
       may_be_lost && finished < CLAIMANTS ->
       may_be_lost = false;
       state = none;
       newest = 0;
       lease_live = false;
       excused = true
     }
  od
}

/* stored only of what is whole, in every state */
active proctype Watch() {
end:
  atomic { (state == stored && copy != whole) -> assert(false) }
}

/* The next request, or the sweeper, after everybody else is done or dead. */
active proctype NextRequest() {
  byte me = SWEEPER;
  byte token = 0;
  byte i;

  atomic { for (i : 0 .. CLAIMANTS - 1) { run Claimant(i) } }
  finished == CLAIMANTS;
  atomic {
    if
    :: state == stored -> goto done
    :: CLAIMABLE -> claim()
    fi
  }
  upload(by_bytes);
  answer[me] == whole;
  settle(stored);
done:
  assert(state == stored && copy == whole);
  ended = true
}
