import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { inheritableEnvironment } from '../../src/config/index.js'
import { temporaryFolder } from '../support/temporary-folder.js'

// deploy/logrotate.conf with the real logrotate, in a temporary folder instead of /var/lib.
const file = fileURLToPath(new URL('../../deploy/logrotate.conf', import.meta.url))
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`
const env = { ...inheritableEnvironment(), PATH }
const isInstalled = spawnSync('logrotate', ['--version'], { env }).status === 0

describe.skipIf(!isInstalled)(
  `the logrotate file (${isInstalled ? 'runs' : 'logrotate is not installed'})`,
  () => {
    it('rotates a log above the size that its node keeps open, and keeps five old ones', () => {
      const root = temporaryFolder('logrotate')
      const folder = join(root, 'targon-miner/neurons/w/h/netuid4/miner')
      mkdirSync(folder, { recursive: true })
      const { username } = userInfo()
      const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()
      const text = readFileSync(file, 'utf8')
        .replace('/var/lib', root)
        // copying and packing 100 MB seven times would take a minute
        .replace('size 100M', 'size 100k')
        .replace('su targon targon', `su ${username} ${group}`)
      expect(text).toContain(`su ${username}`)
      expect(text).toContain('size 100k')
      writeFileSync(join(root, 'conf'), text, { mode: 0o644 })
      const log = join(folder, 'miner.log')
      const rotate = () => {
        const options = ['--verbose', '--state', join(root, 'state'), join(root, 'conf')]
        const said = spawnSync('logrotate', options, { env, encoding: 'utf8' })
        expect(said.stderr).not.toMatch(/^error:/m)
        expect(said.status).toBe(0)
      }
      // a node opens its log for appending once
      const open = openSync(log, 'a')
      truncateSync(log, 99 * 1024)
      const { ino } = statSync(log)
      rotate()
      expect(readdirSync(folder)).toEqual(['miner.log'])
      for (let turn = 0; turn < 7; turn++) {
        truncateSync(log, 101 * 1024)
        rotate()
        expect(statSync(log)).toMatchObject({ ino, size: 0 })
      }
      writeSync(open, 'last\n')
      expect(readFileSync(log, 'utf8')).toBe('last\n')
      closeSync(open)
      expect(readdirSync(folder).sort()).toEqual([
        'miner.log',
        'miner.log.1',
        ...[2, 3, 4, 5].map((n) => `miner.log.${n}.gz`),
      ])
    }, 60_000)
  },
)
