#!/usr/bin/env node
// Starts the current release and supervises its probation; takes the arguments of targon. It is separate from the releases
// because one that crashes on import cannot roll itself back. Runs from deploy/ of a checkout, and then starts the checkout
// until a release is installed, or as a copy next to `current`, `releases/` and `update.json`. Its syntax is that of Node.js 12,
// so that an older Node.js reads it and refuses to start with a sentence.
import { spawn } from 'node:child_process'
import * as fs from 'node:fs'
import { Socket } from 'node:net'
import { constants, homedir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))
const isCheckout = basename(folder) === 'deploy' && fs.existsSync(join(folder, '..', 'bin', 'run.js'))
const configuredRoot = (process.env.TARGON_UPDATE_ROOT || '~/.targon').replace(/^~(?=\/|$)/, home)
const root = isCheckout ? resolve(configuredRoot) : folder
const at = (...names) => join(root, ...names)

const MAX_ATTEMPTS = 3
const PROBATION_MS = Number(process.env.TARGON_TEST_TRIAL_MS || 15 * 60000)
// between the starts of a release on probation, in units; the last one repeats
const PAUSES = [1, 5, 25]
const PAUSE_UNIT_MS = Number(process.env.TARGON_TEST_PAUSE_MS || 1000)
const WATCH_MS = 200
const SETTLE_MS = 100
const RETRY_MS = 1000
// if the release rolled back to fails this soon as well, no release starts
const SOON_MS = 60000
// a role waits five minutes for its chain before it exits with that status
const SAME_FAULT_MS = 10 * 60000
const RESTART_REQUESTED = 75
const NOTHING_STARTS = 78
// chain, model server, hotkey in use, chain unreachable: not counted as attempts, because these faults are not the release's
const MAY_PASS = new Set([3, 4, 7, 69])
// also settings, which only the new release may reject: it is rolled back, but not marked as failed if the old one exits alike
const ENVIRONMENT_FAULTS = new Set([2, ...MAY_PASS])

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 19)) {
  const found = `this is ${process.versions.node} (${process.execPath})`
  console.error(`launcher: targon needs Node.js 20.19 or newer, and ${found}. Install a newer Node.js.`)
  process.exit(NOTHING_STARTS)
}

const stderr = openOwnStderr()
/** What standard error has not taken yet. */
let unprinted = ''
let retry
let child
/** The run was killed at its probation deadline. */
let wasKilled = false
let stopping = false
let wake = () => {}
/** The release this launcher process rolled back from: version, last exit status, when. */
let rolledBack

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
  process.on(signal, () => {
    if (signal !== 'SIGHUP') stopping = true
    if (child) child.kill(signal)
    if (stopping) wake()
  })
}
process.on('exit', printLast)
// explicit, because what pm2 loads into this process would keep it alive
void launch().then(process.exit)

/** `/` for a user id without an account, as in containers. */
function home() {
  try {
    return homedir()
  } catch {
    return '/'
  }
}

async function launch() {
  let status = 0
  let pauses = [...PAUSES]
  for (;;) {
    const state = settle(readState(), status)
    const version = currentVersion()
    const script = programOf(version)
    if (!script) {
      print(`no complete release to start (current: ${version || 'none'}); run targon update`)
      return NOTHING_STARTS
    }
    if (isOnProbation(state, version)) {
      const deadline = state.deadline || Date.now() + PROBATION_MS
      writeState({ ...state, attempts: state.attempts + 1, deadline })
    } else pauses = [...PAUSES]
    const { code, renewed } = await run(script, version, isOnProbation(state, version))
    // a release killed while it waits again for the same missing service keeps its previous status
    if (!wasKilled || !MAY_PASS.has(status)) status = code
    const after = readState()
    if (!isOnProbation(after, version)) {
      // another release may have been put on probation meanwhile; this exit does not count for or against it
      if (stopping) return status
      if (status !== RESTART_REQUESTED) return failureOf(status)
      pauses = [...PAUSES]
      continue
    }
    const probation = {
      ...after,
      deadline: Math.max(after.deadline || Date.now() + PROBATION_MS, renewed),
    }
    if (stopping || MAY_PASS.has(status)) probation.attempts--
    // a clean stop is no failure: the full time starts again at the next start
    if (stopping && status === 0) probation.deadline = null
    writeState(probation)
    if (stopping) return status
    if (status === RESTART_REQUESTED) continue
    if (!isOver(probation)) await pause(pauses.length > 1 ? pauses.shift() : pauses[0], probation.deadline)
    if (stopping) return status
  }
}

/**
 * Opens the pipe or terminal behind standard error once more, because writing to one that nobody reads must not keep this process
 * from passing signals on. Whether a write waits is a property shared with the child, which changes it; this one is not shared.
 */
function openOwnStderr() {
  try {
    const kind = fs.fstatSync(2)
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = fs.constants
    if (kind.isFIFO() || kind.isCharacterDevice())
      return fs.openSync('/proc/self/fd/2', O_WRONLY | O_NONBLOCK | O_NOCTTY)
  } catch {
    // another user's terminal
  }
  return 2
}

/** Prints a line without waiting for the reader; what is not taken is tried again. */
function print(text) {
  unprinted += `launcher: ${text}\n`
  retry = retry || setInterval(printRest, RETRY_MS).unref()
  printRest()
}

function printRest() {
  try {
    // a socket cannot be opened again: this makes it non-blocking until the child changes that
    if (fs.fstatSync(stderr).isSocket()) new Socket({ fd: stderr, readable: false }).unref()
    const bytes = Buffer.from(unprinted)
    unprinted = bytes.subarray(fs.writeSync(stderr, bytes)).toString()
  } catch (error) {
    if (error.code !== 'EAGAIN') unprinted = ''
  }
  if (unprinted !== '') return
  clearInterval(retry)
  retry = undefined
}

/** Waits a second at most for the reader of the last lines. */
function printLast() {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  for (let tries = 0; unprinted !== '' && tries < 50; tries++) {
    Atomics.wait(cell, 0, 0, 20)
    printRest()
  }
}

/** The exit status reported to the supervisor for a release that is not on probation. */
function failureOf(status) {
  if (!rolledBack || status === 0) return status
  const { version: failed, status: failedStatus, at: failedAt } = rolledBack
  const sinceMs = Date.now() - failedAt
  if (ENVIRONMENT_FAULTS.has(status) && status === failedStatus && sinceMs < SAME_FAULT_MS) {
    const state = readState()
    writeState({ ...state, bad: state.bad.filter((version) => version !== failed) })
    print(`the previous release exits with status ${status} as well: ${failed} is no longer marked as failed`)
    return status
  }
  if (sinceMs >= SOON_MS) return status
  print(`the previous release fails as well (status ${status}); check its log`)
  return NOTHING_STARTS
}

/** Completes an interrupted switch; rolls back a release whose probation is over, given its last exit status. */
function settle(state, status) {
  if (state.state !== 'probation') return state
  if (!isOver(state)) {
    if (state.attempts === 0 && currentVersion() !== state.to) link(state.to)
    return state
  }
  const { highest, committed, from, to } = state
  if (from) link(from)
  else fs.rmSync(at('current'), { force: true })
  rolledBack = { version: to, status, at: Date.now() }
  const settled = { state: 'committed', highest, committed, bad: [...new Set([...state.bad, to])] }
  writeState(settled)
  const target = from || (isCheckout ? 'the checkout' : 'no release')
  print(`release ${to} did not become healthy; rolled back to ${target}`)
  return settled
}

function isOver({ attempts, deadline, to }) {
  if (attempts >= MAX_ATTEMPTS || Date.now() > (deadline || Infinity)) return true
  return !fs.existsSync(at('releases', to, 'COMPLETE'))
}

/** Waits for some units but not beyond the deadline; a signal ends the wait. */
function pause(units, deadline) {
  const ms = Math.max(0, Math.min(units * PAUSE_UNIT_MS, deadline - Date.now() + 1))
  return new Promise((resolve) => {
    wake = resolve
    setTimeout(resolve, ms)
  })
}

function isOnProbation(state, version) {
  return state.state === 'probation' && state.to === version
}

function programOf(version) {
  if (version)
    return fs.existsSync(at('releases', version, 'COMPLETE')) && at('releases', version, 'bin', 'run.js')
  return isCheckout && join(folder, '..', 'bin', 'run.js')
}

/**
 * Runs a release until it exits and kills one on probation at its deadline. Only the release writes the state meanwhile.
 *
 * @returns its exit status, and a deadline counted from its readiness (0 if it never became ready), so that loading a
 *   model does not count against it.
 */
function run(script, version, onProbation) {
  return new Promise((resolve) => {
    wasKilled = false
    let renewed = 0
    if (stopping) return resolve({ code: 0, renewed })
    child = spawn(process.execPath, [script, ...process.argv.slice(2)], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, TARGON_UPDATE_ROOT: root, TARGON_LAUNCHED: 'true' },
    })
    showVersion(version)
    child.on('message', (message) => {
      if (onProbation && message === 'ready') renewed = Date.now() + PROBATION_MS
      if (process.send) process.send(message, () => {})
    })
    const killWhenOverdue = () => {
      const state = readState()
      if (!isOnProbation(state, version) || Date.now() <= Math.max(state.deadline || Infinity, renewed))
        return
      wasKilled = true
      child.kill('SIGKILL')
    }
    const watch = onProbation && setInterval(killWhenOverdue, WATCH_MS)
    // a supervisor that signals the whole process tree may reach this process slightly later than the child
    const end = (code) => {
      clearInterval(watch)
      setTimeout(resolve, SETTLE_MS, { code, renewed })
    }
    child.once('error', () => end(1))
    child.once('exit', (code, signal) => end(code === null ? 128 + constants.signals[signal] : code))
  })
}

/** Shows the version in `pm2 describe`; `pm2 ls` shows that of the folder of this file, whatever runs. */
function showVersion(version) {
  if (!process.send || process.env.pm_id === undefined) return
  const running = version || JSON.parse(fs.readFileSync(join(folder, '..', 'package.json'), 'utf8')).version
  process.send({ type: 'axm:monitor', data: { 'Running version': { value: running } } }, () => {})
}

function readState() {
  if (!fs.existsSync(at('update.json')))
    return { state: 'committed', highest: '0.0.0', committed: [], bad: [] }
  try {
    return JSON.parse(fs.readFileSync(at('update.json'), 'utf8')) || {}
  } catch (error) {
    print(`update.json cannot be read (${error.message}): starting the current release without probation`)
    return { state: 'unreadable' }
  }
}

function writeState(state) {
  fs.writeFileSync(at('update.json.tmp'), `${JSON.stringify(state)}\n`, { mode: 0o600, flush: true })
  fs.renameSync(at('update.json.tmp'), at('update.json'))
  return state
}

function currentVersion() {
  return fs.lstatSync(at('current'), { throwIfNoEntry: false }) && basename(fs.readlinkSync(at('current')))
}

function link(version) {
  fs.rmSync(at('current.tmp'), { force: true })
  fs.symlinkSync(join('releases', version), at('current.tmp'))
  fs.renameSync(at('current.tmp'), at('current'))
}
