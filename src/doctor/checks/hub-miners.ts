import { listModels } from '../../inference/index.js'
import type { Check, HubContext } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, type Seen, skip } from '../finding.js'
import { readSelf } from './registration.js'

/** Miners that are asked, those with the most incentive first. */
const MOST_ASKED = 16

/** Asks some miners for their models as the hub does, signed by its hotkey. */
export const hubMinersCheck: Check<HubContext> = {
  id: 'miners',
  title: 'the answers of miners',
  deadlineMs: 45_000,
  run: async (context, signal) => {
    const { settings, clock } = context
    const { endpoint, hotkey } = factsOf(context)
    const [report, signer] = await Promise.all([endpoint(), hotkey()])
    const self = await readSelf(context)
    if (!self || !report || !signer)
      return [skip('Not checked, because the hotkey was not found: see registration.')]
    const { addressedMiners } = await import('../../roles/hub/miners/index.js')
    const miners = addressedMiners(report.metagraph, signer.address, settings['allow-private-axons'])
      .sort((a, b) => b.incentive - a.incentive)
      .slice(0, MOST_ASKED)
    if (miners.length === 0)
      return [
        fail(
          `No miner of subnet ${settings.netuid} announces an address.`,
          'Check --netuid and --subtensor.network.',
        ),
      ]
    const answers = await Promise.all(miners.map((miner) => listModels(miner, { signer, clock, signal })))
    return [judge(answers)]
  },
}

function judge(answers: readonly Awaited<ReturnType<typeof listModels>>[]): Seen {
  const serving = answers.filter((one) => one.kind === 'models' && one.models.length > 0)
  const reasons = answers.flatMap((one) => (one.kind === 'models' ? [] : [one.reason]))
  if (serving.length > 0) {
    const models = new Set(answers.flatMap((one) => (one.kind === 'models' ? one.models : [])))
    return ok(
      `${serving.length} of ${answers.length} miners that were asked serve ${[...models].sort().join(', ')}.`,
    )
  }
  const saw = `None of ${answers.length} miners that were asked serves a model`
  if (reasons.length === 0)
    return fail(`${saw}; they answer with empty lists.`, 'Wait until miners serve models.')
  if (reasons.every((reason) => /stake below minimum/i.test(reason)))
    return fail(
      `${saw}: they refuse the stake of this hotkey.`,
      'Add stake to it, or use the hotkey of a validator.',
    )
  return fail(
    `${saw}: ${reasons[0]}.`,
    'Check the firewall of this machine, its clock, and targon query --list.',
  )
}
