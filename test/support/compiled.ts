import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

const WORKERS = [
  'src/roles/miner/admission/signature-worker.ts',
  'src/roles/miner/workers/worker-process.ts',
  'src/database/sqlite-worker.ts',
  'src/inference/ask-thread-worker.ts',
]

/** Programs of tests, which run them as processes of their own. */
const PROGRAMS = [
  'test/cli/logging-process.ts',
  'test/kernel/attempt-timeout-worker.ts',
  'test/kernel/stopped-server.ts',
  'test/roles/hub/organics/keeper.ts',
  'test/support/engine-process.ts',
  'test/support/organic-records.ts',
  'test/support/update-worker.ts',
]

/** Compiles all of `src` and the programs of tests file by file, in a second. @returns the folder, which the caller deletes */
export async function compileSource(): Promise<string> {
  const folder = makeFolder()
  await compile(folder, {
    // every file is compiled by itself, so nothing that it imports is read
    compilerOptions: { types: [], noResolve: true },
    include: [join(root, 'src')],
    exclude: [join(root, 'src/page/browser')],
    files: PROGRAMS.map((file) => join(root, file)),
  })
  return folder
}

/**
 * Compiles scripts and their imports, so that they run on plain Node as a release does, without a loader that would count
 * towards their memory. The output is deleted when this process exits.
 *
 * @param scripts URLs of TypeScript files of this project.
 * @returns paths of the compiled files, in the same order.
 */
export async function compileScripts(...scripts: URL[]): Promise<string[]> {
  const folder = makeFolder()
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const files = scripts.map((script) => relative(root, fileURLToPath(script)))
  await compile(folder, {
    compilerOptions: { types: ['node'] },
    include: [],
    // worker threads are started by URL, so nothing imports their modules
    files: [...files, ...WORKERS].map((file) => join(root, file)),
  })
  return files.map((file) => join(folder, file.replace(/\.ts$/, '.js')))
}

/** Inside node_modules, so that the compiled files find the packages. */
function makeFolder(): string {
  const cache = join(root, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  return mkdtempSync(join(cache, 'compiled-'))
}

interface Settings {
  readonly compilerOptions: Readonly<Record<string, unknown>>
  readonly include: readonly string[]
  readonly exclude?: readonly string[]
  readonly files: readonly string[]
}

async function compile(folder: string, settings: Settings): Promise<void> {
  const compilerOptions = {
    ...{ noEmit: false, incremental: false, noCheck: true, rootDir: root, outDir: folder },
    ...settings.compilerOptions,
  }
  const text = JSON.stringify({ extends: join(root, 'tsconfig.json'), ...settings, compilerOptions })
  writeFileSync(join(folder, 'tsconfig.json'), text)
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  const compiler = join(root, 'node_modules', '.bin', 'tsc')
  const child = spawn(compiler, ['-p', folder], { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code === 0) return
  rmSync(folder, { recursive: true })
  throw new Error(`${settings.files.join(', ')} could not be compiled`)
}
