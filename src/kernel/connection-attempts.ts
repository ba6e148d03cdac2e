import { setDefaultAutoSelectFamilyAttemptTimeout } from 'node:net'

/**
 * Time for one of several addresses of a host. Node's own 250 ms give up a host 160 ms away, and one whose first packet was lost: it
 * is sent again after a second. The next address still gets its time within the connect time-outs, which are 5 s or more.
 */
const ATTEMPT_MS = 2500

/** Lets connections of this process reach distant hosts with several addresses, over any library. Worker threads inherit it. */
export function allowDistantHosts(): void {
  setDefaultAutoSelectFamilyAttemptTimeout(ATTEMPT_MS)
}
