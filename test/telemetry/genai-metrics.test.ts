import { expect, it } from 'vitest'
import { createMetrics } from '../../src/telemetry/index.js'

const sources = { droppedLines: () => 0 }
const request = { operation: 'chat', model: 'org/model' } as const
const labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="vllm",gen_ai_request_model="org/model"'

it('exports nothing under these names unless they are wanted', async () => {
  for (const role of ['miner', 'validator', 'hub'] as const)
    expect(await createMetrics(role as 'miner', sources).text()).not.toContain('gen_ai')
})

it('exports the server metrics of a miner in seconds, and no first token of a failure', async () => {
  const metrics = createMetrics('miner', { ...sources, genAi: true })
  metrics.genAi?.served(request, { totalMs: 1500, firstByteMs: 200 })
  metrics.genAi?.served({ ...request, error: '502' }, { totalMs: 100, firstByteMs: 50 })
  metrics.genAi?.served({ ...request, error: 'broken' }, {})
  const text = await metrics.text()
  expect(text).toContain(`gen_ai_server_request_duration_seconds_sum{${labels},error_type=""} 1.5`)
  expect(text).toContain(`gen_ai_server_request_duration_seconds_count{${labels},error_type="502"} 1`)
  expect(text).toContain(`gen_ai_server_time_to_first_token_seconds_sum{${labels}} 0.2`)
  expect(text).toContain(`gen_ai_server_time_to_first_token_seconds_count{${labels}} 1`)
})

it('exports the client metrics of a validator, with the tokens of answers that have some', async () => {
  const metrics = createMetrics('validator', { ...sources, genAi: true })
  metrics.genAi?.received(request, { totalMs: 2000, firstTokenMs: 300, tokens: 120 })
  metrics.genAi?.received(
    { ...request, error: 'TIMEOUT' },
    { totalMs: 12_000, firstTokenMs: undefined, tokens: 0 },
  )
  const text = await metrics.text()
  expect(text).toContain(`gen_ai_client_operation_duration_seconds_count{${labels},error_type="TIMEOUT"} 1`)
  expect(text).toContain(`gen_ai_client_operation_time_to_first_chunk_seconds_sum{${labels}} 0.3`)
  expect(text).toContain(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 120`)
  expect(text).toContain(`gen_ai_client_token_usage_count{${labels},gen_ai_token_type="output"} 1`)
})

it('exports the server metrics of a hub, with the tokens charged and the time of each', async () => {
  const metrics = createMetrics('hub', { ...sources, genAi: true })
  const answer = { totalMs: 2200, firstTokenMs: 200, promptTokens: 30, tokens: 21 }
  metrics.genAi?.answered(request, answer)
  metrics.genAi?.answered({ ...request, error: 'miner_failed' }, { ...answer, promptTokens: 0, tokens: 0 })
  const text = await metrics.text()
  for (const line of [
    `gen_ai_server_request_duration_seconds_count{${labels},error_type="miner_failed"} 1`,
    `gen_ai_server_request_duration_seconds_sum{${labels},error_type=""} 2.2`,
    `gen_ai_server_time_to_first_token_seconds_sum{${labels}} 0.2`,
    `gen_ai_server_time_to_first_token_seconds_count{${labels}} 1`,
    `gen_ai_server_time_per_output_token_seconds_sum{${labels}} 0.1`,
    `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"} 30`,
    `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 21`,
  ])
    expect(text).toContain(line)
})
