import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.js'

/** A user id without an account, as `docker run --user` and Kubernetes give to containers. */
const UID = 54_321
const root = fileURLToPath(new URL('../../', import.meta.url))

function runAsUnknown(argv: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, {
    ...{ uid: UID, gid: UID, cwd: '/', encoding: 'utf8' },
    env: { PATH: process.env.PATH },
  })
  return { status, stdout, stderr }
}

/** Why such a process cannot be started here. */
function obstacle(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can start a process as another user'
  const reading = `require('node:fs').readFileSync(${JSON.stringify(join(root, 'package.json'))})`
  return runAsUnknown(['-e', reading]).status === 0 ? undefined : 'other users cannot read this checkout'
}

const reason = obstacle()

describe.skipIf(reason !== undefined)(
  `as a user without an account, HOME and SHELL (${reason ?? 'runs'})`,
  () => {
    it.each(['--help', 'miner start --help', 'miner start --print-config', 'validator start --print-config'])(
      'targon %s works',
      (line) => {
        const { status, stdout, stderr } = runAsUnknown([join(root, 'bin', 'run.js'), ...line.split(' ')])
        expect(stderr).toBe('')
        expect(status).toBe(0)
        if (line.endsWith('--print-config')) expect(stdout).toMatch(/wallet\.path +\/\.bittensor\/wallets/)
      },
    )

    it('a neuron without a wallet ends with an error and status 2', () => {
      const wallet = ['--wallet.path', '/nowhere', '--no-autoupdate']
      const { status, stderr } = runAsUnknown([join(root, 'bin', 'run.js'), 'miner', 'start', ...wallet])
      expect(stderr).toMatch(/^Error \[\w+\]: /)
      expect(status).toBe(2)
    })

    it('the launcher starts the checkout', () => {
      const folder = temporaryFolder('unknown-user')
      for (const name of ['deploy', 'bin']) mkdirSync(join(folder, name))
      cpSync(join(root, 'deploy', 'launcher.mjs'), join(folder, 'deploy', 'launcher.mjs'))
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
      writeFileSync(join(folder, 'bin', 'run.js'), 'console.log(process.env.TARGON_UPDATE_ROOT)')
      spawnSync('chmod', ['-R', 'a+rX', folder])
      const started = runAsUnknown([join(folder, 'deploy', 'launcher.mjs'), 'miner', 'start'])
      expect(started).toEqual({ status: 0, stdout: '/.targon\n', stderr: '' })
    })

    it('pm2 can read the ecosystem file', () => {
      const reading = `console.log(require(${JSON.stringify(join(root, 'deploy', 'ecosystem.config.cjs'))}).apps[0].env.TARGON_UPDATE_ROOT)`
      expect(runAsUnknown(['-e', reading])).toEqual({ status: 0, stdout: '/.targon/miner\n', stderr: '' })
    })
  },
)
