import { parseEngineEndpoints, readModelFiles } from '../../engine/index.js'
import { messageOf, TargonError, withDeadline } from '../../kernel/index.js'
import { readWantedModels } from '../../models/index.js'
import type { Check, ValidatorContext } from '../context.js'
import { fail, ok, type Seen, warn } from '../finding.js'
import { usesDocker } from './docker.js'

const HUB_MS = 20_000

/** The list of wanted models, an engine for each, and the files that tell how to judge them. */
export const modelsCheck: Check<ValidatorContext> = {
  id: 'models',
  title: 'reading the wanted models and their files',
  deadlineMs: 45_000,
  run: async (context, signal) => {
    const { settings, machine } = context
    const wanted = await readWantedModels(
      {
        mode: settings['models.mode'],
        file: settings['models.file'],
        endpoint: settings['models.endpoint'],
      },
      signal,
    )
    const engines = parseEngineEndpoints(settings['engine.endpoints']).map(({ model }) => model)
    const missing = usesDocker(settings, machine) ? [] : wanted.filter((model) => !engines.includes(model))
    const judged = wanted.filter((model) => !missing.includes(model))
    const unreadable = await Promise.all(judged.map((model) => unreadableFiles(model, context, signal)))
    const found = [...missingFindings(missing, wanted, engines), ...unreadable.flat()]
    return found.length > 0 ? found : [ok(`Wanted: ${wanted.join(', ')}; their files can be read.`)]
  },
}

function missingFindings(
  missing: readonly string[],
  wanted: readonly string[],
  engines: readonly string[],
): Seen[] {
  // Without any engine, that is the finding of another check.
  if (missing.length === 0 || engines.length === 0) return []
  const saw = `No reference engine is configured for ${missing.join(', ')}; engines serve ${engines.join(', ')}.`
  const next = 'Add one with --engine.endpoints, or want other models with --models.mode and --models.file.'
  return [missing.length === wanted.length ? fail(saw, next) : warn(saw, next)]
}

async function unreadableFiles(
  model: string,
  { modelFiles, clock }: ValidatorContext,
  signal: AbortSignal,
): Promise<Seen[]> {
  try {
    await withDeadline(clock, `reading the files of ${model}`, HUB_MS, signal, (own) =>
      readModelFiles(modelFiles, model, own),
    )
    return []
  } catch (error) {
    signal.throwIfAborted()
    const next = error instanceof TargonError ? error.next : undefined
    return [
      fail(messageOf(error), next ?? 'Check --engine.hub-url, or give the files with --engine.model-dir.'),
    ]
  }
}
