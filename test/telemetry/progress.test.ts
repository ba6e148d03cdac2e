import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { drawProgress, logProgress } from '../../src/telemetry/index.js'
import { ManualClock } from '../support/manual-clock.js'

function terminal() {
  const written: string[] = []
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 120 })
  stream.on('data', (bytes: Buffer) => written.push(bytes.toString()))
  return { stream, text: () => written.join('') }
}

describe('progress on a terminal', () => {
  it('draws a bar, clears it for a log line, and leaves nothing behind', async () => {
    const { stream, text } = terminal()
    const bar = await drawProgress(stream)
    bar.clear()
    expect(text()).toBe('')
    bar.report('org/a', 'Loading weights', 25)
    expect(text()).toContain('org/a [')
    expect(text()).toContain('25% Loading weights')
    bar.clear()
    expect(text().endsWith('\r\u001b[K')).toBe(true)
    bar.end()
    const drawn = text()
    // Never returns to an earlier line.
    for (const jump of ['\u001b7', '\u001b8']) expect(drawn).not.toContain(jump)
    // Long log lines still wrap.
    expect(drawn).not.toContain('\u001b[?7l')
    bar.end()
    bar.clear()
    expect(text()).toBe(drawn)
  })

  it('escapes control characters from a container’s log', async () => {
    const { stream, text } = terminal()
    const bar = await drawProgress(stream)
    bar.report('org/a', 'a\u001b]0;title\u0007b')
    bar.end()
    expect(text()).not.toContain('\u001b]0;')
    expect(text()).toContain('\\u001b]0;title\\u0007b')
  })

  it('truncates what does not fit on one line', async () => {
    const { stream, text } = terminal()
    const bar = await drawProgress(stream)
    bar.report('organisation/a-model-with-a-rather-long-name', 'x'.repeat(200), 5)
    bar.end()
    const line = text().split('\u001b[0K')[0]?.split('\u001b[1G')[1]
    expect(line).toContain('5% x')
    expect(line?.length).toBeLessThan(120)
  })

  it('limits percentages to 0 to 100', async () => {
    const { stream, text } = terminal()
    const bar = await drawProgress(stream)
    bar.report('org/a', 'done', 250)
    bar.end()
    expect(text()).toContain('100% done')
  })
})

describe('progress without a terminal', () => {
  it('logs a task immediately and then at most every 15 s', async () => {
    const lines: unknown[] = []
    const clock = new ManualClock()
    const progress = logProgress({ info: (fields: unknown) => void lines.push(fields) }, clock)
    for (const percent of [1, 2, 3]) progress.report('org/a', 'loading', percent)
    progress.report('org/b', 'pulling')
    expect(lines).toEqual([
      { event: 'progress', task: 'org/a', status: 'loading', percent: 1 },
      { event: 'progress', task: 'org/b', status: 'pulling' },
    ])
    await clock.advance(15_000)
    progress.report('org/a', 'loading', 90)
    expect(lines).toHaveLength(3)
  })
})
