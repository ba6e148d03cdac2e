import { hotkeyOf } from '../../test/support/hotkeys.js'
import { Caller } from '../miner/caller.js'
import { CALLER_SEEDS, chatBody, FAULTS, MINER_SEED, sendFault, signed } from './callers.js'
import { addCount, type Counts } from './counts.js'

/** Requests to send to one port. */
export interface SoakOrder {
  readonly port: number
  readonly requests: number
  /** How far the clock of the miner is ahead of ours. */
  readonly aheadMs: number
  /** No request starts after so many milliseconds. */
  readonly withinMs: number
  readonly areAllSound?: boolean
}

export interface SoakResult {
  readonly sent: number
  /** How often requests of each kind were answered in each way. */
  readonly answers: Counts
}

const CALLERS = 16
const PERCENT = 100
const miner = await hotkeyOf(MINER_SEED)
const signers = await Promise.all(CALLER_SEEDS.map(hotkeyOf))

async function run({ port, requests, aheadMs, withinMs, areAllSound }: SoakOrder): Promise<SoakResult> {
  const endAt = performance.now() + withinMs
  const answers: Counts = {}
  let sent = 0
  const call = async (caller: Caller) => {
    while (sent < requests && performance.now() < endAt) {
      const index = sent++
      const signer = signers[index % signers.length] ?? miner
      const signing = { signer, miner, nowMs: Date.now() + aheadMs }
      const fault = areAllSound ? undefined : FAULTS[index % PERCENT]
      let how: string
      if (fault) how = await sendFault(port, fault, signing)
      else {
        const { head, body } = signed(signing, chatBody(), { keep: true })
        const { isWhole } = await caller.send(Buffer.concat([Buffer.from(head), body]))
        how = isWhole ? 'whole' : 'not whole'
      }
      addCount(answers, fault ?? 'sound', how)
    }
    caller.close()
  }
  await Promise.all(Array.from({ length: CALLERS }, () => call(new Caller(port))))
  return { sent, answers }
}

process.on('message', (order: SoakOrder) => {
  void run(order).then((result) => process.send?.(result))
})
process.send?.({ ready: true })
