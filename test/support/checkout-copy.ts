import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** Copies the files of this repository that git knows or would add, without what is ignored, into a new folder. */
export function copyCheckout(target: string): void {
  const options = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const listed = execFileSync('git', options, { cwd: root, encoding: 'utf8' })
  for (const name of listed.split('\0').filter(Boolean)) {
    mkdirSync(join(target, dirname(name)), { recursive: true })
    cpSync(join(root, name), join(target, name))
  }
}
