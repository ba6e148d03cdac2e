import { expect, it } from 'vitest'
import { noteOutcomes } from '../../../src/roles/miner/note-outcome.js'
import { createMetrics } from '../../../src/telemetry/index.js'

it('counts requests for served models only: callers choose the names', async () => {
  const metrics = createMetrics('miner', { droppedLines: () => 0, genAi: true })
  const noted: [string, boolean | undefined][] = []
  const note = noteOutcomes({
    metrics,
    ends: { note: (model, isServed) => void noted.push([model, isServed]) },
    models: () => ['org/a'],
  })
  const answered = { kind: 'answered', upstream: 'http://u', bytes: 1, firstByteMs: 10, totalMs: 20 } as const
  note({ path: '/completions', model: 'org/a' }, { ...answered, status: 200 })
  note({ path: '/chat/completions', model: 'org/a' }, { kind: 'refused', status: 502, reason: 'down' })
  note({ path: '/completions', model: 'org/a' }, { ...answered, status: 400 })
  for (let number = 0; number < 1000; number++)
    note({ path: '/completions', model: `x${number}` }, { kind: 'refused', status: 503, reason: 'down' })
  expect(noted).toEqual([
    ['org/a', true],
    ['org/a', false],
  ])
  const text = await metrics.text()
  expect(text).toContain('targon_miner_model_requests_total{model="org/a",outcome="served"} 1')
  expect(text).toContain('targon_miner_model_requests_total{model="org/a",outcome="failed"} 1')
  expect(text).toContain('gen_ai_operation_name="text_completion"')
  expect(text).not.toContain('x999')
})
