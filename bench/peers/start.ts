import type { Subject } from '../miner/processes.js'
import type { Row } from '../row.js'
import { textRow } from './compared-rows.js'
import { PEERS } from './index.js'

/** Starts all that are installed before the given upstream, one after the other. */
export async function startPeers(upstreamPort: number): Promise<Subject[]> {
  const subjects: Subject[] = []
  for (const peer of PEERS) {
    const subject = await peer.start(upstreamPort).catch(async (error: unknown) => {
      await Promise.all(subjects.map((started) => started.stop()))
      throw error
    })
    if (subject) subjects.push(subject)
  }
  return subjects
}

export function versionRows(): Row[] {
  return PEERS.map((peer) => textRow(`version of ${peer.name}`, peer.version() ?? 'not installed'))
}
