import { Flags } from '@oclif/core'
import {
  BaseCommand,
  flagsOf,
  formatTable,
  type Invocation,
  openQuietLog,
  runUntilStopped,
} from '../../cli/index.js'
import { isGiven } from '../../config/index.js'
import { systemClock } from '../../kernel/index.js'
import type { PreviewedWeight, WeightsPreview } from '../../roles/index.js'

export default class ValidatorWeights extends BaseCommand {
  static override summary =
    'Show the weights the running validator would submit now and the scores behind them, without submitting'

  static override description = 'Chain and subnet are those of the running validator, which its status names.'

  static override usage = 'validator weights [--dry-run | --diff] [FLAGS]'

  static override flags = {
    ...flagsOf('validator', [
      'metrics.port',
      'netuid',
      'subtensor.network',
      'subtensor.chain_endpoint',
      'subtensor.fallback_endpoints',
    ]),
    'dry-run': Flags.boolean({
      summary: 'Has no effect: this command never submits.',
    }),
    diff: Flags.boolean({ summary: 'Show only neurons whose weight differs from the one on chain.' }),
  }

  run(): Promise<unknown> {
    return this.runWith('validator', (invocation) => this.#show(invocation))
  }

  async #show({ settings, resolved, actions }: Invocation<'validator'>): Promise<unknown> {
    const { connectValidatorChain, previewWeights, readLocalStatus } = await import('../../roles/index.js')
    const { validatorStatus } = await import('../../roles/validator/index.js')
    const log = await openQuietLog('validator', settings)
    const preview = await runUntilStopped({ exitWithStdin: false }, async (signal) => {
      const context = { clock: systemClock, log, signal }
      const status = await readLocalStatus('validator', settings['metrics.port'], validatorStatus, context)
      const given = {
        network: isGiven(resolved, 'subtensor.network'),
        endpoint: isGiven(resolved, 'subtensor.chain_endpoint'),
        netuid: isGiven(resolved, 'netuid'),
      }
      const { subtensor, netuid } = await connectValidatorChain(settings, given, status, context)
      try {
        return await previewWeights(subtensor, netuid, status, signal)
      } finally {
        await subtensor.close()
      }
    })
    const shown = actions.diff
      ? preview.weights.filter(({ weightU16, onChainU16 }) => weightU16 !== onChainU16)
      : preview.weights
    this.log(`${headline(preview)}\n${formatTable(tableOf(shown), [0, 2, 3, 4, 5])}`)
    return { ...preview, weights: shown }
  }
}

function headline({ validatorUid, block, path, skipped }: WeightsPreview): string {
  const how = path === 'commit' ? 'committed now and revealed later' : 'set directly'
  return skipped === undefined
    ? `Validator uid ${validatorUid} at block ${block}: these weights would be ${how}.`
    : `Validator uid ${validatorUid} at block ${block}: nothing would be submitted (${skipped}).`
}

function tableOf(weights: readonly PreviewedWeight[]): string[][] {
  const head = ['uid', 'hotkey', 'score', 'weight', 'on chain', 'change']
  return [
    head,
    ...weights.map(({ uid, hotkey, score, weightU16, onChainU16 }) => [
      String(uid),
      hotkey || '-',
      score.toFixed(3),
      String(weightU16),
      String(onChainU16),
      weightU16 === onChainU16 ? '0' : `${weightU16 > onChainU16 ? '+' : ''}${weightU16 - onChainU16}`,
    ]),
  ]
}
