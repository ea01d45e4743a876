/**
 * The machines of a made-up company, for the tags of `metrics`: what a tag says follows from the others as it
 * would there. A rack stands in one data centre and holds one architecture, a service belongs to one team.
 */
import { keyOf, mix64 } from './hashing.ts';

const HOSTS = 1000;
const CENTRES_PER_REGION = 3;
const RACKS_PER_CENTRE = 12;

const REGIONS = [
  'ap-northeast',
  'ap-southeast',
  'eu-central',
  'eu-north',
  'eu-west',
  'sa-east',
  'us-east',
  'us-west',
] as const;

const SERVICES = [
  { name: 'billing', team: 'payments', os: 'Debian 13' },
  { name: 'checkout', team: 'payments', os: 'Debian 13' },
  { name: 'ledger', team: 'payments', os: 'RHEL 10' },
  { name: 'catalog', team: 'shop', os: 'Ubuntu 24.04' },
  { name: 'search', team: 'shop', os: 'Ubuntu 24.04' },
  { name: 'recommend', team: 'shop', os: 'Ubuntu 26.04' },
  { name: 'gateway', team: 'platform', os: 'Alpine 3.22' },
  { name: 'identity', team: 'platform', os: 'Debian 13' },
  { name: 'queue', team: 'platform', os: 'Debian 13' },
  { name: 'warehouse', team: 'data', os: 'RHEL 10' },
  { name: 'ingest', team: 'data', os: 'Debian 13' },
  { name: 'telemetry', team: 'data', os: 'Ubuntu 26.04' },
] as const;

const ENVIRONMENTS = ['production', 'production', 'production', 'staging', 'test'] as const;

/** One record a host, with the fields of the record set `hosts`; the same for equal seeds. */
export function hostRecords(seed: string): Readonly<Record<string, string>>[] {
  /** A number below `size` that depends on what is asked and of whom. */
  const choose = (what: string, of: string | number, size: number): number =>
    Number(mix64(keyOf(`${seed}/hosts/${what}/${of}`)) % BigInt(size));

  return Array.from({ length: HOSTS }, (_, host) => {
    const region = REGIONS[choose('region', host, REGIONS.length)] ?? REGIONS[0];
    const datacenter = `${region}-${1 + choose('centre', host, CENTRES_PER_REGION)}`;
    const rack = `${datacenter}-r${String(1 + choose('rack', host, RACKS_PER_CENTRE)).padStart(2, '0')}`;
    const service = SERVICES[choose('service', host, SERVICES.length)] ?? SERVICES[0];
    const environment = ENVIRONMENTS[choose('environment', host, ENVIRONMENTS.length)] ?? ENVIRONMENTS[0];
    const release = `${service.name}/${environment}`;
    return {
      arch: choose('arch', rack, 4) === 0 ? 'arm64' : 'x86_64',
      datacenter,
      hostname: `${service.name}-${String(host).padStart(4, '0')}.${datacenter}`,
      os: service.os,
      rack,
      region,
      service: service.name,
      service_environment: environment,
      service_version: `${1 + choose('major', service.name, 6)}.${choose('minor', release, 30)}.${choose('patch', release, 9)}`,
      team: service.team,
    };
  });
}
