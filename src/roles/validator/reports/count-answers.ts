import type { Answer, InferenceRequest } from '../../../inference/index.js'
import type { GenAiMetrics, ValidatorMetrics } from '../../../telemetry/index.js'
import type { Feed } from '../../role.js'
import type { RoundResult } from '../rounds/index.js'
import type { ValidatorContext } from '../subnet/index.js'

type Counted = Pick<RoundResult, 'verdict' | 'request' | 'answer'>

interface CountParts {
  readonly metrics: Pick<ValidatorMetrics, 'inconclusive' | 'modelVerdicts' | 'genAi'>
  readonly view: Pick<ValidatorContext['view'], 'wanted'>
}

/** Counts the answers of rounds in the metrics that say how they went rather than whom they score. */
export function countAnswers(
  { metrics, view }: CountParts,
  { result }: { readonly result: Feed<Counted> },
): void {
  result.subscribe(({ verdict, request, answer }) => {
    if (verdict.kind === 'inconclusive') metrics.inconclusive.inc({ reason: verdict.reason })
    // A round may end after its model left the list; a label of that model would stay.
    if (!view.wanted.includes(request.model)) return
    metrics.modelVerdicts.inc({ model: request.model, outcome: verdict.kind })
    if (metrics.genAi) noteGenAi(metrics.genAi, request, answer)
  })
}

function noteGenAi(genAi: GenAiMetrics, { endpoint, model }: InferenceRequest, answer: Answer): void {
  const { fault, status, timing, tokens } = answer
  const error = fault?.cause ?? (status >= 400 ? String(status) : undefined)
  genAi.received(
    { operation: endpoint === 'chat' ? 'chat' : 'text_completion', model, error },
    {
      totalMs: timing.totalMs,
      firstTokenMs: tokens.length > 0 ? timing.timeToFirstTokenMs : undefined,
      tokens: tokens.length,
    },
  )
}

/** Sets the metrics of what the chain and the settings say of this validator. */
export function noteStanding({
  metrics,
  view,
  settings,
  signer,
}: Pick<ValidatorContext, 'metrics' | 'view' | 'settings' | 'signer'>): void {
  const self = view.metagraph.find(signer.address)
  metrics.registered.set(self ? 1 : 0)
  metrics.permit.set(self?.validatorPermit ? 1 : 0)
  metrics.epochBlocks.set(settings['epoch-length'])
  if (self) metrics.weightsLastUpdateBlock.set(self.lastUpdateBlock)
}
