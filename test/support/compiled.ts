import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))

const WORKERS = [
  'src/roles/miner/admission/signature-worker.ts',
  'src/database/sqlite-worker.ts',
  'src/inference/ask-thread-worker.ts',
]

/**
 * Compiles scripts and their imports, so that they run on plain Node as a release does, without a loader that would count
 * towards their memory. The output is deleted when this process exits.
 *
 * @param scripts URLs of TypeScript files of this project.
 * @returns paths of the compiled files, in the same order.
 */
export async function compileScripts(...scripts: URL[]): Promise<string[]> {
  const cache = join(root, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'compiled-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const files = scripts.map((script) => relative(root, fileURLToPath(script)))
  const settings = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      noEmit: false,
      incremental: false,
      noCheck: true,
      rootDir: root,
      outDir: folder,
      types: ['node'],
    },
    include: [],
    // worker threads are started by URL, so nothing imports their modules
    files: [...files, ...WORKERS].map((file) => join(root, file)),
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'))
  const compiler = join(root, 'node_modules', '.bin', 'tsc')
  const child = spawn(compiler, ['-p', folder], { stdio: ['ignore', 'inherit', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${files.join(', ')} could not be compiled`)
  return files.map((file) => join(folder, file.replace(/\.ts$/, '.js')))
}
