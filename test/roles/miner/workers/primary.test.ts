import { fork } from 'node:child_process'
import { once } from 'node:events'
import { kill } from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'

const pids: number[] = []
afterEach(() => {
  for (const pid of pids.splice(0)) if (isAlive(pid)) kill(pid, 'SIGKILL')
})

function isAlive(pid: number): boolean {
  try {
    kill(pid, 0)
    return true
  } catch {
    return false
  }
}

it('workers, started from source, ignore signals to the whole group, and end with the process that started them', async () => {
  const program = fileURLToPath(new URL('./primary-process.ts', import.meta.url))
  const primary = fork(program, [], {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  pids.push(primary.pid ?? 0)
  const [workers] = (await once(primary, 'message')) as [number[]]
  pids.push(...workers)
  expect(workers).toHaveLength(2)
  for (const pid of workers) for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) kill(pid, signal)
  primary.send('again')
  expect(await once(primary, 'message')).toEqual([workers, undefined])
  primary.kill('SIGKILL')
  await expect.poll(() => workers.map(isAlive)).toEqual([false, false])
})
