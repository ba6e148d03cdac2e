import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.js'
import { startTally } from './tally.js'

/** Runs the writer with umask 000. @returns each path below the folder with its mode. */
async function modesOf(...manner: string[]): Promise<[path: string, mode: number][]> {
  const folder = temporaryFolder('modes')
  const line = [
    'umask 000 && exec "$0" "$@"',
    process.execPath,
    inject('scripts')['role-files'],
    folder,
    ...manner,
  ]
  const child = spawn('/bin/sh', ['-c', ...line], { stdio: ['ignore', 'ignore', 'inherit'] })
  expect(await once(child, 'exit')).toEqual([null, 'SIGKILL'])
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => [
    path,
    statSync(join(folder, path)).mode & 0o777,
  ])
}

describe('gauntlet: file modes', () => {
  it('F23: with umask 000 a role writes no file that other users can read', async ({ task }) => {
    const tally = startTally(task, { fault: 'F23', kind: 'roles with umask 000', full: 1 })
    const modes = await modesOf()
    const names = modes.map(([path]) => path).join('\n')
    for (const written of [
      'validator.log',
      'scores.json',
      'models.json',
      'weights.json.lock',
      'history.sqlite-wal',
    ])
      expect(names).toContain(written)
    expect(modes.filter(([, mode]) => (mode & 0o077) !== 0)).toEqual([])
    const folders = modes.filter(([path]) => modes.some(([other]) => other.startsWith(`${path}/`)))
    expect(folders.filter(([, mode]) => mode !== 0o700)).toEqual([])
    tally.count = 1
  })

  it('F23 control: outside a role the same writers leave readable files', async () => {
    const modes = await modesOf('careless')
    const open = modes.filter(([, mode]) => (mode & 0o077) !== 0)
    expect(open.map(([path]) => path)).toContain('of-a-library/file')
  })
})
