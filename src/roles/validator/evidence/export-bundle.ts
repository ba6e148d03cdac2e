import { type EvidenceBundle, encodeBundle } from '../../../bundles/index.js'
import { type Clock, packageVersion, TargonError } from '../../../kernel/index.js'
import type { Signer } from '../../../wallet/index.js'
import { keptModels, readKeptAnswers } from './kept-answers.js'

export interface ExportOptions {
  readonly stateDir: string
  /** Of the miner. */
  readonly hotkey: string
  /** May be left out when answers to one model are kept. */
  readonly model: string | undefined
  /** The last answers, even where those before an alarm are kept. */
  readonly last: boolean
  readonly signer: Signer
  readonly clock: Clock
}

export interface ExportedBundle {
  readonly bundle: EvidenceBundle
  /** Content of the file. */
  readonly text: string
}

/** A signed bundle of what is kept of a miner. @throws TargonError BUNDLE_NO_ANSWERS, BUNDLE_MODEL (fault usage) */
export async function exportBundle(options: ExportOptions): Promise<ExportedBundle> {
  const { stateDir, hotkey, signer, clock } = options
  const model = options.model ?? (await onlyModel(stateDir, hotkey))
  const read = (which: 'alarm' | 'last') => readKeptAnswers(stateDir, hotkey, model, which)
  const alarm = options.last ? [] : await read('alarm')
  const answers = alarm.length > 0 ? alarm : await read('last')
  if (answers.length === 0) throw noAnswers(hotkey, model)
  const exportedAt = new Date(clock.now()).toISOString()
  const bundle = { code: packageVersion(), exportedAt, miner: hotkey, model, answers: [...answers] }
  return { bundle, text: encodeBundle(bundle, signer) }
}

async function onlyModel(stateDir: string, hotkey: string): Promise<string> {
  const [only, ...others] = await keptModels(stateDir, hotkey)
  if (only === undefined) throw noAnswers(hotkey)
  if (others.length === 0) return only
  throw new TargonError(`Answers of ${hotkey} to several models are kept: ${[only, ...others].join(', ')}.`, {
    code: 'BUNDLE_MODEL',
    fault: 'usage',
    next: 'Name one with --model.',
  })
}

function noAnswers(hotkey: string, model?: string): TargonError {
  const what = model === undefined ? '' : ` to ${model}`
  return new TargonError(`No answer of ${hotkey}${what} is kept in the state folder of this validator.`, {
    code: 'BUNDLE_NO_ANSWERS',
    fault: 'usage',
    next: 'Check the hotkey, and --wallet.name, --wallet.hotkey and --netuid, which name the folder.',
  })
}
