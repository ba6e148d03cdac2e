import { createServer, type Server } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { watchScreen } from '../../src/cli/watch-screen.js'
import MinerStatus from '../../src/commands/miner/status.js'
import Status from '../../src/commands/status.js'
import { runCommand } from '../support/cli.js'
import { ManualClock, settle } from '../support/manual-clock.js'

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A status port that responds with this document. @returns the port */
async function servePort(document: object): Promise<string> {
  const server = createServer((_, response) => response.end(JSON.stringify(document))).listen(0, '127.0.0.1')
  servers.push(server)
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  return String(typeof address === 'object' && address ? address.port : 0)
}

const miner = {
  ...{ role: 'miner', uid: 1, hotkey: '5Own', address: '0.0.0.0', port: 8091, block: 9, isDraining: false },
  ...{ inFlight: 0, models: [], upstreams: [], callers: [], wanted: [] },
  requests: { requests: 0, answered: 0, refused: 0, failed: 0, abandoned: 0 },
}

describe('targon status', { timeout: 60_000 }, () => {
  it('shows the miner that answers on the port, as text and as JSON', async () => {
    const port = await servePort(miner)
    const text = await runCommand(Status, ['--metrics.port', port])
    expect(text).toMatchObject({ status: 0, stdout: expect.stringMatching(/^miner {6}uid 1 · block 9/) })
    const json = await runCommand(Status, ['--metrics.port', port, '--json'])
    expect(JSON.parse(json.stdout)).toMatchObject({ miner: { uid: 1 }, validator: null })
  })

  it('names the port when nothing answers, and refuses the status of something else', async () => {
    const none = await runCommand(Status, ['--metrics.port', '1', '--json'])
    expect(JSON.parse(none.stdout)).toMatchObject({ error: { code: 'NEURON_NOT_RUNNING' } })
    expect(none.status).toBe(1)
    const other = await runCommand(Status, ['--metrics.port', await servePort({ up: true }), '--json'])
    expect(JSON.parse(other.stdout)).toMatchObject({ error: { code: 'STATUS_UNREADABLE' } })
    const wrong = await runCommand(MinerStatus, [
      '--metrics.port',
      await servePort({ role: 'validator' }),
      '--json',
    ])
    expect(JSON.parse(wrong.stdout)).toMatchObject({ error: { code: 'STATUS_UNREADABLE' } })
  })

  it('escapes what a caller could have written', async () => {
    const port = await servePort({ ...miner, hotkey: '5\u001b[2J' })
    const { stdout } = await runCommand(MinerStatus, ['--metrics.port', port])
    expect(stdout).not.toContain('\u001b')
  })

  it('needs --watch for --interval', async () => {
    const { status } = await runCommand(MinerStatus, ['--interval', '5', '--json'])
    expect(status).toBe(2)
  })
})

describe('watchScreen', () => {
  function start(terminal: { isTTY?: boolean; columns?: number; rows?: number }, texts: string[]) {
    const clock = new ManualClock()
    const stopping = new AbortController()
    const written: string[] = []
    const output = { ...terminal, write: (text: string) => void written.push(text) }
    const read = async () => texts.shift() ?? 'last'
    const options = { output, intervalMs: 2000, clock, signal: stopping.signal }
    const done = watchScreen(read, options)
    return { clock, written, done, stop: () => stopping.abort() }
  }

  it('writes one text after the other into a pipe', async () => {
    const { clock, written, done, stop } = start({}, ['a', 'b'])
    await settle()
    expect(written).toEqual(['a\n\n'])
    await clock.advance(2000)
    expect(written).toEqual(['a\n\n', 'b\n\n'])
    stop()
    await done
    expect(written).toHaveLength(2)
    expect(clock.waiting).toBe(0)
  })

  it('draws in place on a terminal, and gives it back with the last picture', async () => {
    const { clock, written, done, stop } = start({ isTTY: true, columns: 20, rows: 10 }, ['a', 'b'])
    await settle()
    await clock.advance(2000)
    const [enter, first, second] = written
    expect(enter).toBe('\u001b[?1049h\u001b[?25l')
    expect(first).toBe('\u001b[Ha\u001b[K\n\u001b[K\nCtrl-C ends.\u001b[K\u001b[J')
    expect(second).toContain('\u001b[Hb')
    stop()
    await done
    expect(written.at(-1)).toBe('\u001b[?25h\u001b[?1049lb\n')
  })

  it('cuts what does not fit and escapes control characters', async () => {
    const long = ['x'.repeat(30), ...Array.from({ length: 9 }, (_, line) => `line ${line}\u001b[2J`)].join(
      '\n',
    )
    const { written, done, stop } = start({ isTTY: true, columns: 12, rows: 6 }, [long])
    await settle()
    const shown = (written[1] ?? '').replaceAll(/\p{Cc}\[[HKJ]/gu, '')
    const lines = shown.split('\n')
    expect(lines).toHaveLength(6)
    expect(lines[0]).toBe(`${'x'.repeat(11)}…`)
    expect(lines.slice(-3)).toEqual(['…', '', 'Ctrl-C ends.'])
    expect(shown).not.toContain('\u001b')
    stop()
    await done
  })

  it('gives the terminal back when reading fails', async () => {
    const written: string[] = []
    const output = { isTTY: true, write: (text: string) => void written.push(text) }
    const read = () => Promise.reject(new Error('broken'))
    const { signal } = new AbortController()
    const watching = watchScreen(read, { output, intervalMs: 1, clock: new ManualClock(), signal })
    await expect(watching).rejects.toThrow('broken')
    expect(written.at(-1)).toContain('\u001b[?1049l')
  })
})
