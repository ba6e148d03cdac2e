import { haproxy } from './haproxy.js'
import { litellm } from './litellm.js'
import { nginx } from './nginx.js'
import type { Peer } from './peer.js'
import { vllmRouter } from './vllm-router.js'

export { BENCH_KEY, type Peer } from './peer.js'
export { nginx }

/** Programs that operators put in the same place; each is measured where it is installed. */
export const PEERS: readonly Peer[] = [nginx, haproxy, vllmRouter, litellm]
