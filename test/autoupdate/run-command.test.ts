import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runCommand } from '../../src/autoupdate/run-command.js'
import { temporaryFolder } from '../support/temporary-folder.js'

it('ends at its timeout even if a detached descendant keeps the output open', async () => {
  const file = join(temporaryFolder('command'), 'pid')
  const program = `
    const { spawn } = require('node:child_process')
    const { writeFileSync } = require('node:fs')
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'inherit' })
    writeFileSync(${JSON.stringify(file)}, String(child.pid))
  `
  const running = runCommand(process.execPath, ['-e', program], {
    label: 'a program',
    env: { PATH: process.env.PATH ?? '' },
    timeoutMs: 2000,
    signal: new AbortController().signal,
  })
  await expect(running).rejects.toMatchObject({ code: 'UPDATE_COMMAND_FAILED' })
  // the descendant is still running: the command did not wait for it
  expect(process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL')).toBe(true)
})
