import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Folder with programs to compare with, such as `bin` of a Python environment; searched before PATH. */
const FOLDER = process.env.TARGON_BENCH_PEERS_DIR

/** @returns the path of a program; undefined when it is not installed. */
export function findProgram(name: string): string | undefined {
  const folders = [FOLDER ?? '', ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/** The first number with dots that a program prints about itself; undefined when it prints none. */
export function printedVersion(program: string, ...args: readonly string[]): string | undefined {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 })
  return /\d+(\.\d+)+/.exec(`${stdout}${stderr}`)?.[0]
}

/** The version of a Python package whose program stands beside its interpreter. */
export function packageVersion(program: string, name: string): string | undefined {
  const script = `from importlib.metadata import version; print(version('${name}'))`
  return printedVersion(join(program, '..', 'python3'), '-c', script)
}
