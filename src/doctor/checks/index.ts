/**
 * The checks of `targon doctor`, one per question; a file may hold several small ones. The order is that of the output. Tests
 * named after a behaviour: ../miner.test.ts (axon.ts, chain.ts, dns.ts, registration.ts, release.ts, self-dial.ts),
 * ../hub.test.ts (hub-callers.ts, hub-database.ts, hub-miners.ts, hub-port.ts, hub-records.ts, hub-tls.ts),
 * ../model-servers.test.ts (server-probes.ts, upstream.ts), ../validator.test.ts (engine.ts, services.ts).
 */
import type { Check, HubContext, MachineContext, MinerContext, ValidatorContext } from '../context.js'
import { chainServers, minerServers, validatorServers } from '../servers.js'
import { minerAxonCheck, validatorAxonCheck } from './axon.js'
import { chainCheck } from './chain.js'
import { clockCheck } from './clock.js'
import { diskCheck } from './disk.js'
import { dnsCheck } from './dns.js'
import { dockerCheck, gpuCheck } from './docker.js'
import { engineCheck } from './engine.js'
import { filesCheck } from './files.js'
import { hubProxiesCheck, hubValidatorsCheck } from './hub-callers.js'
import { hubDatabaseCheck } from './hub-database.js'
import { hubMinersCheck } from './hub-miners.js'
import { hubPortCheck } from './hub-port.js'
import { hubRecordsCheck } from './hub-records.js'
import { hubTlsCheck } from './hub-tls.js'
import { descriptorsCheck, nodeCheck } from './machine.js'
import { modelsCheck } from './models.js'
import {
  hubRegistrationCheck,
  minerRegistrationCheck,
  registrationCheck,
  validatorRegistrationCheck,
} from './registration.js'
import { releaseCheck, supervisorCheck } from './release.js'
import { selfDialCheck } from './self-dial.js'
import { databaseCheck, hubCheck, redisCheck } from './services.js'
import { settingsCheck } from './settings.js'
import { upstreamCheck } from './upstream.js'
import { walletCheck } from './wallet.js'
import { weightsCheck } from './weights.js'

/** Of the machine alone, for settings that cannot be read. */
export const machineChecks: readonly Check<MachineContext>[] = [nodeCheck, descriptorsCheck]

const local: readonly Check[] = [nodeCheck, settingsCheck, filesCheck, diskCheck, descriptorsCheck]

/** What miners, validators and hubs have in common. */
export const commonChecks: readonly Check[] = [
  ...local,
  dnsCheck(chainServers),
  clockCheck(chainServers),
  ...[chainCheck, walletCheck, registrationCheck],
]

export const minerChecks: readonly Check<MinerContext>[] = [
  ...local,
  dnsCheck(minerServers),
  clockCheck(minerServers),
  ...[chainCheck, walletCheck],
  ...[minerRegistrationCheck, minerAxonCheck, selfDialCheck, upstreamCheck, redisCheck],
  ...[releaseCheck<MinerContext>('miner'), supervisorCheck<MinerContext>('miner')],
]

export const validatorChecks: readonly Check<ValidatorContext>[] = [
  ...local,
  dnsCheck<ValidatorContext>(validatorServers, ({ settings }) => [settings['hub.url']]),
  clockCheck(validatorServers),
  ...[chainCheck, walletCheck],
  ...[validatorRegistrationCheck, validatorAxonCheck, weightsCheck, modelsCheck, engineCheck],
  ...[dockerCheck, gpuCheck, hubCheck, databaseCheck],
  ...[releaseCheck<ValidatorContext>('validator'), supervisorCheck<ValidatorContext>('validator')],
]

export const hubChecks: readonly Check<HubContext>[] = [
  ...local,
  dnsCheck(chainServers),
  clockCheck(chainServers),
  ...[chainCheck, walletCheck],
  ...[hubRegistrationCheck, hubMinersCheck, hubPortCheck, hubTlsCheck, hubProxiesCheck],
  ...[hubValidatorsCheck, hubDatabaseCheck, hubRecordsCheck],
  ...[releaseCheck<HubContext>('hub'), supervisorCheck<HubContext>('hub')],
]
