import { expect, it } from 'vitest'
import { createTopic } from '../../../../src/roles/role.js'
import { countAnswers, noteStanding } from '../../../../src/roles/validator/reports/index.js'
import type { RoundResult } from '../../../../src/roles/validator/rounds/index.js'
import { createMetrics, createModelSeries } from '../../../../src/telemetry/index.js'
import { answerOf, completionRequest, servingMiners, viewOf } from '../rounds/round-parts.js'
import { createRigContext, MODEL } from '../validator-rig.js'

const SIGNER = { publicKey: new Uint8Array(32), sign: () => new Uint8Array(64) }

it('counts inconclusive verdicts by reason, and answers under the names of OpenTelemetry', async () => {
  const metrics = createMetrics('validator', { droppedLines: () => 0, genAi: true })
  const result = createTopic<Pick<RoundResult, 'verdict' | 'request' | 'answer'>>()
  const view = viewOf(servingMiners(1))
  countAnswers({ metrics, view }, { result })
  const request = completionRequest()
  const timing = { timeToFirstTokenMs: 250, timeForAllTokensMs: 750, totalMs: 1000 }
  const inconclusive = { kind: 'inconclusive', reason: 'engine-unavailable', detail: 'it is down' } as const
  result.publish({ verdict: inconclusive, request, answer: answerOf({ timing }) })
  const fault = { cause: 'TIMEOUT', detail: 'too slow' } as const
  const verdict = { kind: 'failed', cause: 'TIMEOUT', detail: 'too slow' } as RoundResult['verdict']
  result.publish({ verdict, request, answer: answerOf({ timing, fault }) })
  const text = await metrics.text()
  expect(text).toContain('targon_validator_inconclusive_total{reason="engine-unavailable"} 1')
  const labels = `gen_ai_operation_name="text_completion",gen_ai_provider_name="vllm",gen_ai_request_model="${MODEL}"`
  const name = 'gen_ai_client_operation_duration_seconds'
  expect(text).toContain(`${name}_count{${labels},error_type=""} 1`)
  expect(text).toContain(`${name}_count{${labels},error_type="TIMEOUT"} 1`)
  // an answer without a token has no first one
  expect(text).not.toContain('gen_ai_client_operation_time_to_first_chunk_seconds_count')
})

it('counts the verdicts of wanted models only, and forgets a model that is no longer wanted', async () => {
  const metrics = createMetrics('validator', { droppedLines: () => 0, genAi: true })
  const result = createTopic<Pick<RoundResult, 'verdict' | 'request' | 'answer'>>()
  const view = viewOf(servingMiners(1))
  countAnswers({ metrics, view }, { result })
  const noteModels = createModelSeries(metrics)
  const counted = async () => {
    noteModels(view.wanted)
    const lines = (await metrics.text()).match(/(?<=^targon_validator_model_verdicts_total).*$/gm)
    return (lines ?? []).filter((line) => !line.endsWith(' 0'))
  }
  const judge = (model: string, fault?: { cause: 'TIMEOUT'; detail: string }) =>
    result.publish({
      verdict: { kind: 'failed', cause: 'OVERFIT', detail: '' } as RoundResult['verdict'],
      request: { ...completionRequest(), model },
      answer: answerOf({ tokens: [{ text: ' a', tokenId: 1, logprob: 0 }], fault }),
    })
  judge(MODEL)
  judge(MODEL, { cause: 'TIMEOUT', detail: 'too slow' })
  judge('org/never-wanted')
  expect(await counted()).toEqual([`{model="${MODEL}",outcome="failed"} 2`])
  metrics.verificationDuration.observe({ model: MODEL }, 1)
  metrics.unchecked.inc({ model: MODEL })
  view.replaceWanted(['org/next'])
  expect(await metrics.text()).toContain(`model="${MODEL}"`)
  judge(MODEL)
  judge('org/next')
  expect(await counted()).toEqual(['{model="org/next",outcome="failed"} 1'])
  expect(await metrics.text()).not.toContain(MODEL)
})

it('exports what the metagraph says of this validator', async () => {
  const view = viewOf(servingMiners(1))
  const context = createRigContext({ view, signer: { ...SIGNER, address: view.self.hotkey } })
  noteStanding(context)
  const text = await context.metrics.text()
  for (const line of ['targon_registered 1', 'targon_validator_permit 1', 'targon_epoch_length_blocks 360'])
    expect(text).toContain(line)
  const { metagraph } = view
  view.replaceMetagraph({ ...metagraph, neurons: [], find: () => undefined })
  noteStanding(context)
  expect(await context.metrics.text()).toContain('targon_registered 0')
})
