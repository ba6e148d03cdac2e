import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { launcherPath } from '../support/install-release.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const running: ChildProcess[] = []
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

/** A program that records the signals it receives and drains on SIGINT or SIGTERM. */
const LISTENER = `import { appendFileSync } from 'node:fs'
const note = (text) => appendFileSync(process.env.NOTES, text + '\\n')
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => { note(signal); if (signal !== 'SIGHUP') setTimeout(() => process.exit(0), 200) })
note([process.env.TARGON_LAUNCHED, process.env.TARGON_UPDATE_ROOT, ...process.argv.slice(2)].join(' '))
process.on('disconnect', () => process.exit(0))
process.send('ready')
setInterval(() => {}, 1000)
`

describe('the launcher of a checkout', () => {
  function checkout() {
    const folder = temporaryFolder('checkout')
    for (const name of ['deploy', 'bin']) mkdirSync(join(folder, name))
    cpSync(launcherPath, join(folder, 'deploy', 'launcher.mjs'))
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
    writeFileSync(join(folder, 'bin', 'run.js'), LISTENER)
    const notes = join(folder, 'notes')
    const child = spawn(process.execPath, [join(folder, 'deploy', 'launcher.mjs'), 'miner', 'start'], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { PATH: process.env.PATH, NOTES: notes, TARGON_UPDATE_ROOT: join(folder, 'root') },
    })
    running.push(child)
    const noted = () => readFileSync(notes, 'utf8').trim().split('\n')
    return { folder, child, noted, ready: once(child, 'message') }
  }

  it('starts the checkout until a release is installed, and forwards its ready message', async () => {
    const { folder, child, noted, ready } = checkout()
    expect((await ready)[0]).toBe('ready')
    expect(noted()).toEqual([`true ${join(folder, 'root')} miner start`])
    child.kill('SIGTERM')
    expect((await once(child, 'exit'))[0]).toBe(0)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'forwards %s once and exits with the status of the drained child',
    async (signal) => {
      const { child, noted, ready } = checkout()
      await ready
      child.kill('SIGHUP')
      while (noted().length < 2) await systemClock.sleep(20)
      child.kill(signal)
      expect((await once(child, 'exit'))[0]).toBe(0)
      expect(noted().slice(1)).toEqual(['SIGHUP', signal])
    },
  )
})
