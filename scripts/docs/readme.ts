import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderSettingsSummary } from './settings-table.js'

const root = fileURLToPath(new URL('../../', import.meta.url))
const COMMANDS = 'docs/commands'

/**
 * README.md and docs/commands/*.md by path: the command reference from `oclif readme` and the built commands, the settings
 * from their table. Text outside the markers is kept.
 */
export function renderReadme(): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'targon-docs-'))
  try {
    for (const name of ['package.json', 'dist'])
      cpSync(join(root, name), join(folder, name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'README.md'), emptied(readFileSync(join(root, 'README.md'), 'utf8')))
    const oclif = join(root, 'node_modules', 'oclif', 'bin', 'run.js')
    const options = ['--multi', '--output-dir', COMMANDS, '--no-aliases', '--no-source-links']
    const env = {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      NO_COLOR: '1',
      OCLIF_SKIP_NEW_VERSION_CHECK: '1',
    }
    execFileSync(process.execPath, [oclif, 'readme', ...options], { cwd: folder, env, stdio: 'pipe' })
    const pages = readdirSync(join(folder, COMMANDS)).sort()
    const written = ['README.md', ...pages.map((page) => `${COMMANDS}/${page}`)]
    return new Map(written.map((path) => [path, tidy(readFileSync(join(folder, path), 'utf8'))]))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function emptied(readme: string): string {
  return readme
    .replace(/<!-- commands -->[\s\S]*<!-- commandsstop -->/, '<!-- commands -->\n<!-- commandsstop -->')
    .replace(
      /<!-- settings -->[\s\S]*<!-- settingsstop -->/,
      () => `<!-- settings -->\n${renderSettingsSummary()}\n<!-- settingsstop -->`,
    )
}

/** Removes the generator's own heading and trailing blanks, and ends with one newline. */
function tidy(text: string): string {
  return `${text
    .replace('# Command Topics\n\n', '')
    .replaceAll(/[ \t]+$/gm, '')
    .trimEnd()}\n`
}
