import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { inheritableEnvironment } from '../../src/config/index.js'
import type { DockerDaemon } from './docker-daemon.js'
import { temporaryFolder } from './temporary-folder.js'

/** What a shell script of a Dockerfile needs, besides Node.js and npm. */
const PROGRAMS = [
  'sh',
  'env',
  'cat',
  'chmod',
  'chown',
  'cp',
  'id',
  'install',
  'ln',
  'ls',
  'mkdir',
  'rm',
  'sleep',
]
/** What comes with every libc, and native modules of npm packages load. */
const LIBC = ['libdl.so.2', 'libm.so.6', 'libpthread.so.0', 'libresolv.so.2', 'librt.so.1', 'libutil.so.1']
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt'

/**
 * Imports an image that stands in for `node:22-bookworm-slim` where nothing can be pulled: Node.js, npm and a few programs of this
 * machine with their libraries.
 *
 * @param more further programs of this machine, by name.
 * @param changes instructions for `docker import`, such as `ENTRYPOINT ["redis-server"]`.
 */
export function importHostImage(
  docker: DockerDaemon['docker'],
  name: string,
  more: readonly string[] = [],
  changes: readonly string[] = [],
): void {
  const root = temporaryFolder('host-image')
  for (const folder of ['bin', 'etc', 'lib', 'tmp', 'usr/bin', 'usr/local/bin', 'usr/lib/node_modules'])
    mkdirSync(join(root, folder), { recursive: true })
  for (const program of [...PROGRAMS, ...more]) addProgram(root, pathOf(program), `usr/bin/${program}`)
  addProgram(root, process.execPath, 'usr/bin/node')
  symlinkSync('../usr/bin/sh', join(root, 'bin/sh'))
  const npm = realpathSync(join(execFileSync('npm', ['root', '-g'], { encoding: 'utf8' }).trim(), 'npm'))
  cpSync(npm, join(root, 'usr/lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n')
  const settings = ['ENV PATH=/usr/local/bin:/usr/bin:/bin']
  if (existsSync(CERTIFICATES)) {
    addFile(root, CERTIFICATES)
    settings.push(`ENV NODE_EXTRA_CA_CERTS=${CERTIFICATES}`)
  }
  const archive = `${root}.tar`
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', archive, '.'])
  rmSync(root, { recursive: true, force: true })
  docker('import', ...[...settings, ...changes].flatMap((line) => ['--change', line]), archive, name)
  rmSync(archive)
}

function pathOf(program: string): string {
  const env = inheritableEnvironment()
  return execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8', env }).trim()
}

/** A program and the libraries that the dynamic linker would load for it, at the same paths. */
function addProgram(root: string, path: string, target: string): void {
  cpSync(realpathSync(path), join(root, target), { dereference: true })
  let libraries = ''
  try {
    libraries = execFileSync('ldd', [realpathSync(path)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch {
    // A script, or a static program.
  }
  for (const [, library = ''] of libraries.matchAll(/(\/\S+) \(0x/g)) {
    addFile(root, library)
    if (basename(library) === 'libc.so.6')
      for (const name of LIBC) addFile(root, join(dirname(library), name))
  }
}

function addFile(root: string, path: string): void {
  const target = join(root, path)
  if (existsSync(target) || !existsSync(path)) return
  mkdirSync(dirname(target), { recursive: true })
  cpSync(realpathSync(path), join(dirname(target), basename(path)))
}
