import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import Update from '../../src/commands/update.js'
import { runCommand } from '../support/cli.js'
import { temporaryFolder } from '../support/temporary-folder.js'

describe('targon update --rollback', () => {
  it('is refused together with --dry-run', async () => {
    const root = ['--update.root', temporaryFolder('update')]
    const { status, stderr } = await runCommand(Update, ['--rollback', '--dry-run', ...root])
    const words = 'Error [USAGE]: --dry-run cannot also be provided when using --rollback. See --help.\n'
    expect({ status, stderr }).toEqual({ status: 2, stderr: words })
  })

  it('returns from the first release to this checkout', async () => {
    const root = temporaryFolder('update')
    symlinkSync('releases/90.0.0', join(root, 'current'))
    const { status, stdout } = await runCommand(Update, ['--rollback', '--update.root', root])
    const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `Switched from 90.0.0 to the checkout ${checkout}; its deploy/launcher.mjs runs it from the next start.\n`,
    })
    expect(readdirSync(root)).not.toContain('current')
  })

  it('is refused if the package registry is the source', async () => {
    const words = ['--rollback', '--update.source', 'npm', '--update.root', temporaryFolder('update')]
    const { status, stdout, stderr } = await runCommand(Update, words)
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' })
    expect(stderr).toMatch(/^Error \[UPDATE_NO_ROLLBACK\]: .* --to X\.Y\.Z --yes\.\n$/)
  })
})
