import { SPEC_VERSION } from '../../kernel/index.js'
import type { Check, ValidatorContext } from '../context.js'
import { factsOf } from '../facts.js'
import { fail, ok, skip, warn } from '../finding.js'
import { readSelf } from './registration.js'

/** Epochs after which weights count as late. */
const LATE_EPOCHS = 2

export const weightsCheck: Check<ValidatorContext> = {
  id: 'weights',
  title: 'reading when weights were set',
  run: async (context) => {
    const [self, report] = [await readSelf(context), await factsOf(context).endpoint()]
    if (!self || !report) return [skip('Not checked, because the hotkey was not found: see registration.')]
    const { rules, head, blockTimeMs } = report
    if (rules.versionKey > SPEC_VERSION)
      return [
        fail(
          `The subnet takes weights of version ${rules.versionKey} and newer; this release sets ${SPEC_VERSION}.`,
          'Run targon update.',
        ),
      ]
    const epoch = context.settings['epoch-length']
    const age = head.number - self.lastUpdateBlock
    const next = epoch - (head.number % epoch)
    const minutes = (blocks: number) =>
      `${blocks} blocks (${Math.round((blocks * blockTimeMs) / 60_000)} min)`
    const how = rules.isCommitReveal ? 'committed and revealed later' : 'set directly'
    const when = `next in ${minutes(next)}, ${how}`
    if (age <= LATE_EPOCHS * epoch) return [ok(`Weights were set ${minutes(age)} ago; ${when}.`)]
    const saw = `The last weights were set ${minutes(age)} ago, more than ${LATE_EPOCHS} epochs; ${when}.`
    return [
      (await factsOf(context).running())
        ? fail(saw, 'Read the log of the validator: weights-refused and weights-skipped tell why.')
        : warn(saw, 'Start the validator.'),
    ]
  },
}
