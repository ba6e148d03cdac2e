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

  it('is refused if the package registry is the source', async () => {
    const words = ['--rollback', '--update.source', 'npm', '--update.root', temporaryFolder('update')]
    const { status, stdout, stderr } = await runCommand(Update, words)
    expect({ status, stdout }).toEqual({ status: 6, stdout: '' })
    expect(stderr).toMatch(/^Error \[UPDATE_NO_ROLLBACK\]: .* --to X\.Y\.Z --yes\.\n$/)
  })
})
