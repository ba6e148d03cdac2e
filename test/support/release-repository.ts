import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildRelease } from '../../scripts/release/build.js'
import { layoutOf, type UpdateContext } from '../../src/autoupdate/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { folderMadeOnce, temporaryFolder } from './temporary-folder.js'

/** How the program of a test release behaves. */
export type Behaviour =
  | 'good'
  | 'bad-self-test'
  | 'lies-about-version'
  | 'crash'
  | 'hang'
  /** Is ready at once, but becomes healthy only when the root contains a file `proof`. */
  | 'slow-proof'
  /** Becomes healthy, and exits with 75 once the root contains a file `go`. */
  | 'restarts'
  /** Exits with 2, as a neuron does when it rejects its settings. */
  | 'refuses-settings'
  /** Exits with 3 until the root contains a file `chain`; then it is good. */
  | 'needs-chain'

/**
 * A real git work tree with a bare remote and real SSH keys, from which tests make releases. Every start of a released
 * program, including its self-test, appends its version to `<root>/executed`.
 */
export class ReleaseRepository {
  readonly folder = temporaryFolder('release')
  readonly work = join(this.folder, 'work')
  readonly remote = join(this.folder, 'remote.git')
  readonly signers = join(this.folder, 'allowed_signers')
  readonly maintainerKey = join(this.folder, 'maintainer')
  readonly strangerKey = join(this.folder, 'stranger')

  /** @param from a repository to begin with, instead of a fresh one with one commit */
  constructor(from = folderMadeOnce('release-repository', makeFirst)) {
    cpSync(from, this.folder, { recursive: true })
    this.git('remote', 'set-url', 'origin', this.remote)
  }

  git(...args: string[]): string {
    return execFileSync('git', args, { cwd: this.work, encoding: 'utf8' }).trim()
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.work, name), text)
  }

  /** Commits a program with this behaviour, releases it, and pushes branch and tag. */
  async release(version: string, behaviour: Behaviour = 'good', key = this.maintainerKey): Promise<void> {
    this.write('bin/run.js', programOf(behaviour))
    this.git('add', '.')
    this.git('commit', '--quiet', '--allow-empty', '-m', `feat: ${version} ${behaviour}`)
    const build = () => {
      mkdirSync(join(this.work, 'dist'), { recursive: true })
      this.write('dist/built.js', `export const version = '${version}'\n`)
    }
    await buildRelease({ folder: this.work, version, key, now: new Date(), build })
    this.git('push', '--quiet', '--force', 'origin', 'HEAD', `refs/tags/v${version}`)
  }

  makeKey(name: string): string {
    return makeKey(this.folder, name)
  }

  /** The update context of a fresh machine. */
  context(changes: Partial<UpdateContext> = {}): UpdateContext {
    const root = mkdtempSync(join(this.folder, 'machine-'))
    return {
      layout: layoutOf(root),
      url: this.remote,
      signersFile: this.signers,
      bundledSignersFile: this.signers,
      checkout: undefined,
      runningVersion: '0.9.0',
      nodeVersion: process.versions.node,
      nodePath: process.execPath,
      channel: 'stable',
      env: { PATH: pathWithQuickNpm(), HOME: this.folder },
      clock: systemClock,
      signal: new AbortController().signal,
      onProgress: () => {},
      ...changes,
    }
  }
}

/** Made once and copied, because running git and ssh-keygen is what takes time. */
function makeFirst(folder: string): void {
  const work = join(folder, 'work')
  const git = (...args: string[]) => execFileSync('git', args, { cwd: work })
  const write = (name: string, text: string) => writeFileSync(join(work, name), text)
  execFileSync('git', ['init', '--quiet', '--bare', '-b', 'main', join(folder, 'remote.git')])
  mkdirSync(join(work, 'bin'), { recursive: true })
  git('init', '--quiet', '-b', 'main')
  git('config', 'user.name', 'Maintainer')
  git('config', 'user.email', 'maintainer@example.org')
  git('remote', 'add', 'origin', 'set when copied')
  const pkg = { name: 'probe', version: '0.9.0', type: 'module', engines: { node: '>=20.0.0' } }
  write('package.json', JSON.stringify(pkg))
  const lock = { name: 'probe', version: '0.9.0', lockfileVersion: 3, packages: { '': pkg } }
  write('package-lock.json', JSON.stringify(lock))
  write('.gitignore', 'dist\noclif.manifest.json\nnpm-shrinkwrap.json\nnode_modules\n')
  write('bin/run.js', programOf('good'))
  git('add', '.')
  git('commit', '--quiet', '-m', 'feat: begin')
  makeKey(folder, 'stranger')
  const key = readFileSync(`${makeKey(folder, 'maintainer')}.pub`, 'utf8').trim()
  writeFileSync(join(folder, 'allowed_signers'), `maintainer@example.org namespaces="git" ${key}\n`)
}

/**
 * The search path with an npm in front that skips `npm ci` where nothing is to be installed, since even that takes a second of
 * CPU. The real npm installs releases with a script or a dependency.
 */
export function pathWithQuickNpm(): string {
  const folder = folderMadeOnce('quick-npm', makeQuickNpm)
  return `${folder}:${process.env.PATH ?? ''}`
}

function makeQuickNpm(folder: string): void {
  const path = `'${(process.env.PATH ?? '').replaceAll("'", "'\\''")}'`
  const script = `#!/bin/sh
if [ "$1" = ci ] && [ -f npm-shrinkwrap.json ] && ! grep -qE 'ependencies|"scripts"' package.json npm-shrinkwrap.json
then exit 0
fi
PATH=${path} exec npm "$@"
`
  writeFileSync(join(folder, 'npm'), script, { mode: 0o755 })
}

function makeKey(folder: string, name: string): string {
  const path = join(folder, name)
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', path])
  return path
}

function programOf(behaviour: Behaviour): string {
  const good =
    "writeFileSync(join(root, 'ran'), version); confirm(); process.send?.('ready'); setInterval(() => {}, 1000)"
  const body = {
    good,
    restarts: `${good}; setInterval(() => existsSync(join(root, 'go')) && end(75), 20)`,
    'refuses-settings': 'process.exit(2)',
    'needs-chain': `if (!existsSync(join(root, 'chain'))) process.exit(3); ${good}`,
    crash: "writeFileSync(join(root, 'ran'), version); process.exit(1)",
    'slow-proof': `writeFileSync(join(root, 'ran'), version); process.send?.('ready'); setInterval(() => existsSync(join(root, 'proof')) && confirm(), 20)`,
    hang: "writeFileSync(join(root, 'ran'), version); setInterval(() => {}, 1000)",
    'bad-self-test': 'confirm()',
    'lies-about-version': 'confirm()',
  }[behaviour]
  const selfTest = {
    'bad-self-test': 'process.exit(3)',
    'lies-about-version': "console.log('9.9.9')",
  }[behaviour as string]
  return PROGRAM.replace('BODY', body).replace('SELF_TEST', selfTest ?? 'console.log(version)')
}

/** The program of a test release: passes its self-test, and when started confirms itself as a role does. */
const PROGRAM = `import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
const slot = dirname(dirname(fileURLToPath(import.meta.url)))
const root = dirname(dirname(slot))
const { version } = JSON.parse(readFileSync(join(slot, 'package.json'), 'utf8'))
appendFileSync(join(root, 'executed'), version + '\\n')
function confirm() {
  const state = JSON.parse(readFileSync(join(root, 'update.json'), 'utf8'))
  if (state.state !== 'probation' || state.to !== version) return
  const committed = [...new Set([...state.committed, version])]
  writeFileSync(join(root, 'confirm.tmp'), JSON.stringify({ state: 'committed', highest: version, committed, bad: state.bad }))
  renameSync(join(root, 'confirm.tmp'), join(root, 'update.json'))
}
if (process.argv[2] === 'update') { SELF_TEST }
else {
  const end = (status) => {
    appendFileSync(join(root, 'ended-well'), version + '\\n')
    process.exit(status)
  }
  process.on('SIGTERM', () => end(0))
  process.on('disconnect', () => process.exit(0))
  BODY
}
`
