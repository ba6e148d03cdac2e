import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/kernel/clock.js'
import { createDeferred } from '../../../src/kernel/deferred.js'
import { Child, type ChildOptions } from '../../../src/localnet/network/child.js'

type Handlers = Pick<ChildOptions, 'onStdout' | 'onMessage'>

/** A child that runs this script; argv holds `--exit-with-stdin`. */
function child(script: string, handlers: Handlers = {}): Child {
  return new Child(
    { command: process.execPath, args: ['-e', script, '--'] },
    {
      name: 'probe',
      args: [],
      cwd: tmpdir(),
      env: { PATH: process.env.PATH ?? '' },
      ...handlers,
    },
  )
}

describe('Child', () => {
  it('reports its name, exit status and last lines when it dies', async () => {
    const dying = child("console.error('port taken'); process.exitCode = 3")
    const error = dying.deathError(await dying.exited)
    expect(error).toMatchObject({ code: 'LOCALNET_PROCESS_DIED', fault: 'runtime' })
    expect(error.message).toMatch(/probe exited with status 3[\s\S]*port taken/)
  })

  it('reports a missing program as an exit instead of throwing', async () => {
    const missing = new Child(
      { command: '/nonexistent', args: [] },
      { name: 'probe', args: [], cwd: tmpdir(), env: {} },
    )
    expect(missing.deathError(await missing.exited).message).toContain('spawn /nonexistent')
  })

  it('delivers what it sends over IPC, and exits although the channel is open', async () => {
    const received: unknown[] = []
    const sending = child("process.send({ statusUrl: 'http://127.0.0.1:9' }); process.send('ready')", {
      onMessage: (message) => received.push(message),
    })
    expect(await sending.exited).toEqual({ code: 0, signal: null })
    expect(received).toEqual([{ statusUrl: 'http://127.0.0.1:9' }, 'ready'])
  })

  it('sends SIGKILL to a child that ignores SIGTERM', async () => {
    const ready = createDeferred<string>()
    const stubborn = child(
      "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
      { onStdout: ready.resolve },
    )
    await ready.promise
    await stubborn.stop(systemClock, 50)
    expect(await stubborn.exited).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('sees its standard input close when its parent is killed', async () => {
    const script = "process.stdin.on('end', () => console.log('orphaned')).resume(); console.log('up')"
    const spawnIt = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(script)}], { stdio: ['pipe', 'inherit', 'inherit'] })`
    const parent = spawn(process.execPath, ['-e', spawnIt], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    const reader = createInterface({ input: parent.stdout }).on('line', (line) => lines.push(line))
    await once(reader, 'line')
    parent.kill('SIGKILL')
    await once(reader, 'close') // only once the grandchild, which holds the pipe, has exited
    expect(lines).toEqual(['up', 'orphaned'])
  })
})
