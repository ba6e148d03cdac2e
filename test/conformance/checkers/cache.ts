import { readCache4 } from '../../../src/scoring/index.js'
import { type Checker, sameJson } from '../checker.js'

/** Importing the cache.json of 4.x. */
export const checker: Checker = {
  vectors: 'cache',
  rules: {},
  check: ({ file_exists: exists, file_content: content, block, miner_uids: uids, expected }) => {
    const read = exists ? readCache4(content, block) : undefined
    const loaded = new Map(read?.kind === 'loaded' ? read.results : [])
    // the original adds an empty history for every uid in the metagraph; ours treats an absent one the same
    const named = Object.fromEntries([...loaded].map(([uid, models]) => [uid, Object.fromEntries(models)]))
    for (const uid of Object.keys(expected.miner_tps)) named[uid] ??= {}
    const wanted = Object.fromEntries(uids.map((uid: number) => [uid, {}]))
    Object.assign(wanted, expected.miner_tps)
    for (const uid of uids) named[uid] ??= {}
    return sameJson(named, wanted)
      ? { agrees: true }
      : { agrees: false, detail: `got ${JSON.stringify(named)}, expected ${JSON.stringify(wanted)}` }
  },
}
