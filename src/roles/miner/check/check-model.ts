import { insertsDate, type OpenedEngine, openEngine } from '../../../engine/index.js'
import { messageOf } from '../../../kernel/index.js'
import type { ServerInspection, UpstreamSettings } from '../../../routing/index.js'
import { defaultCut, isCutting } from '../../../verification/index.js'
import {
  firstTokenFinding,
  generationConfigFinding,
  logprobsLimitFinding,
  mergedFinding,
  processedFinding,
  templateDateFinding,
} from './answer-findings.js'
import { evidenceFinding, seedFinding } from './evidence-findings.js'
import { openRequests, validatorRequests } from './requests.js'
import { takeSamples } from './samples.js'
import { summarize } from './summary.js'
import type { CheckDeps, CheckOptions, Finding, ModelCheck } from './types.js'
import { movedTextFinding, verdictFindings } from './verdict-findings.js'
import { weighSamples } from './weigh.js'

/** Answers to requests without cuts of their own: enough tokens to tell a cut of the server. */
const OPEN_ANSWERS = 3

/** A model as one server has it. */
export interface CheckedModel {
  /** As validators name it. */
  readonly name: string
  /** As the server names it. */
  readonly target: string
  readonly server: UpstreamSettings
  readonly inspection: ServerInspection
}

/** Asks one server for answers of one model and judges them. */
export async function checkModel(
  checked: CheckedModel,
  options: CheckOptions,
  deps: CheckDeps,
): Promise<ModelCheck> {
  const { name, target, server } = checked
  const second = options.against.find(({ model }) => model === name)
  const opened: OpenedEngine[] = []
  const { clock, log, signal, readyMs } = deps
  const open = async (model: string, urls: readonly string[], apiKey: string | undefined) => {
    const one = await openEngine({ model, urls, apiKey, ...options.hub, clock, log }, signal, readyMs)
    opened.push(one)
    return one
  }
  try {
    const [own, other] = await Promise.all([
      open(target, [engineUrlOf(server.url)], server.apiKey),
      second && open(name, second.urls, options.againstKey),
    ])
    const comparedWith = second ? second.urls.join(', ') : null
    const reference = other ?? own
    const { unreadyReason } = reference
    if (unreadyReason !== undefined) return withoutReference(name, comparedWith, unreadyReason)
    return await judgeModel(checked, { own, reference, comparedWith }, options, deps)
  } finally {
    await Promise.all(opened.map(({ engine }) => engine.close()))
  }
}

interface Engines {
  readonly own: OpenedEngine
  readonly reference: OpenedEngine
  readonly comparedWith: string | null
}

async function judgeModel(
  { name, target, server, inspection }: CheckedModel,
  { own, reference, comparedWith }: Engines,
  options: CheckOptions,
  deps: CheckDeps,
): Promise<ModelCheck> {
  const { engine } = reference
  const { facts } = engine
  if (!facts) return withoutReference(name, comparedWith, 'the engine is not ready')
  const asking = { model: target, engine, seed: `${options.seed} ${name}`, tokens: options.tokens }
  const knowsTokenIds = inspection.tokenIds === 'on-request'
  const asked = { url: engineUrlOf(server.url), apiKey: server.apiKey, knowsTokenIds }
  const ask = async (requests: Parameters<typeof takeSamples>[0]) =>
    takeSamples(requests, asked, engine, deps)
  deps.onProgress?.(`asking ${server.url} for ${options.answers} answers of ${name}`)
  const samples = await ask(await validatorRequests(options.answers, asking, deps))
  const mayCut = isCutting(defaultCut(facts)) && !facts.scaledLogprobs
  const open = mayCut ? await ask(await openRequests(OPEN_ANSWERS, asking, deps)) : []
  const weighed = weighSamples(name, samples, deps.clock.now())
  const inserts = await readTemplate(reference, deps)
  const ownFacts = own.engine.facts
  const evidence = weighed ? evidenceFinding(weighed, own === reference) : []
  return {
    model: name,
    comparedWith,
    ...summarize(samples, weighed),
    findings: [
      ...verdictFindings(samples, inspection),
      ...movedTextFinding(samples, inspection),
      ...evidence,
      ...processedFinding(samples, ownFacts),
      ...logprobsLimitFinding(ownFacts),
      ...generationConfigFinding(open, facts),
      ...templateDateFinding(inserts),
      ...mergedFinding(samples),
      ...firstTokenFinding(samples),
      // The tokens of another model follow no seed either.
      ...(weighed && evidence.length === 0 ? seedFinding(weighed) : []),
      ...(own === reference ? [comparedWithItself(weighed !== undefined)] : []),
    ],
  }
}

/** A model without chats has no template. */
async function readTemplate({ engine }: OpenedEngine, { clock, log, signal }: CheckDeps): Promise<boolean> {
  if (!engine.facts?.endpoints.includes('chat')) return false
  try {
    return await insertsDate(engine, clock.now(), signal)
  } catch (error) {
    signal.throwIfAborted()
    log.debug({ event: 'chat-template-unread', reason: messageOf(error) }, 'could not read the chat template')
    return false
  }
}

function withoutReference(model: string, comparedWith: string | null, reason: string): ModelCheck {
  const finding: Finding = {
    code: 'no-reference',
    weight: 'fails',
    seen: `Its answers could not be judged, because the reference engine is not ready: ${reason.replace(/\.$/, '')}.`,
    fix: 'Name another vLLM with --against model=url; the files of the model come from --engine.hub-url or --engine.model-dir.',
  }
  return { model, comparedWith, ...summarize([], undefined), findings: [finding] }
}

function comparedWithItself(isWeighed: boolean): Finding {
  const more = isWeighed
    ? ''
    : ' Evidence over several answers could not be computed, because the server states scaled log probabilities.'
  return {
    code: 'compared-with-itself',
    weight: 'notes',
    seen: `The answers were compared with the server’s own reading of them, which cannot show other weights or another model.${more}`,
    fix: 'Name a second engine with --against model=url.',
  }
}

/** Where an upstream has vLLM's own routes. */
function engineUrlOf(upstreamUrl: string): string {
  return upstreamUrl.replace(/\/+$/, '').replace(/\/v1$/, '')
}
