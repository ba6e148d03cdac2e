import { spawnSync } from 'node:child_process'
import { existsSync, openSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compiledUrl } from '../support/compiled-program.js'

const logger = compiledUrl(new URL('../../src/cli/role-logger.ts', import.meta.url))

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'role-log-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A process that logs three records and then prints "alive". */
function logThrice(stderr: 'pipe' | number) {
  const settings = { 'logging.record_log': true, 'logging.level': 'info', netuid: 4 }
  const options = JSON.stringify({
    role: 'miner',
    settings,
    hotkey: '5Hotkey',
    stateDir: folder,
    secrets: [],
  })
  const script = `
    import { openRoleLog } from ${JSON.stringify(logger)}
    const { log } = await openRoleLog(${options})
    for (let index = 0; index < 3; index++) log.info({ index }, 'weights set')
    process.stdout.write('alive')`
  return spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', stderr],
    encoding: 'utf8',
  })
}

// /dev/full is a device without free space, on Linux.
describe.skipIf(!existsSync('/dev/full'))('a log that cannot be written', () => {
  it('warns once about a log file on a full disk', async () => {
    await symlink('/dev/full', join(folder, 'miner.log'))
    const { stdout, stderr, status } = logThrice('pipe')
    expect({ stdout, status }).toEqual({ stdout: 'alive', status: 0 })
    expect(stderr.match(/weights set/g)).toHaveLength(3)
    expect(stderr.match(/Warning: cannot write the log file .*miner\.log: ENOSPC/g)).toHaveLength(1)
  })

  it('does not stop the process when stderr itself has no space', () => {
    const { stdout, status } = logThrice(openSync('/dev/full', 'a'))
    expect({ stdout, status }).toEqual({ stdout: 'alive', status: 0 })
  })
})
