// pm2 start deploy/ecosystem.config.cjs --only targon-validator
// Settings come from .env in this checkout or from TARGON_* variables; nothing secret stands in argv.
const { homedir } = require('node:os')
const { join } = require('node:path')

const checkout = join(__dirname, '..')

const neuron = (role) => ({
  name: `targon-${role}`,
  // the checkout itself runs until a release is installed, then the launcher starts the current release
  script: join(checkout, 'deploy', 'launcher.mjs'),
  args: `${role} start`,
  cwd: checkout,
  // releases, trial and roll-back of each neuron are its own; targon update --update.root ~/.targon/<role>
  env: { TARGON_UPDATE_ROOT: process.env.TARGON_UPDATE_ROOT ?? join(homedir(), '.targon', role) },
  interpreter: 'node',
  exec_mode: 'fork',
  instances: 1,
  // pm2 sends SIGINT and kills after this: long enough for --drain-timeout (15 s) and the last save
  kill_timeout: 25000,
  wait_ready: true,
  listen_timeout: 120000,
  exp_backoff_restart_delay: 1000,
  // restarting does not help: wrong settings, not registered, hotkey in use, no release to start
  // (pm2 shows such a process as "waiting restart", but starts nothing)
  stop_exit_codes: [2, 3, 7, 78],
})

module.exports = { apps: [neuron('miner'), neuron('validator')] }
