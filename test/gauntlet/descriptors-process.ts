import { closeSync, openSync } from 'node:fs'
import { askMiner } from '../../src/inference/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { hotkeyOf } from '../support/hotkeys.js'
import { createRouterRig, settingsOf } from '../support/router-rig.js'

/** Runs under a low `ulimit -n`: what a miner and a validator make of it when no descriptor is left. Prints one JSON document. */
const held: number[] = []
function holdAllBut(free: number): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'))
  } catch {
    for (const descriptor of held.splice(0, free)) closeSync(descriptor)
  }
}
function release(): void {
  for (const descriptor of held.splice(0)) closeSync(descriptor)
}

const rig = createRouterRig()
const signer = await hotkeyOf(1)
const miner = await hotkeyOf(2)
const vllm = await rig.vllm()
const { post, router } = await rig.serve([settingsOf(vllm.url)])

// the caller's connection takes two: its own end and the miner's
holdAllBut(2)
const refused = await post()
const refusal = { status: refused.statusCode, text: await refused.body.text() }
const during = router.report()[0]
release()
holdAllBut(0)
const answer = await askMiner(
  { endpoint: 'completion', model: 'org/model', temperature: 0, maxTokens: 1, prompt: 'a' },
  { url: new URL(vllm.url).origin, hotkey: miner.address },
  { signer, clock: systemClock },
)
release()
const served = await post()
await served.body.dump()
process.stdout.write(
  JSON.stringify({
    refusal,
    during,
    fault: answer.fault,
    served: served.statusCode,
    after: router.report()[0],
  }),
)
await rig.close()
process.exit()
