// Makes the replica set and one user a service, who may write that service's database and no other. Safe to run again:
// what exists is kept, and passwords become those of the environment.
const SERVICES = ["directory", "intake", "review", "recognition", "reward", "notification", "reporting", "exchange", "hub"];
const MEMBER = process.env.MONGO_MEMBER || "mongo:27017";

function given(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

const passwords = Object.fromEntries(
  SERVICES.map((service) => [service, given(`MONGO_PASSWORD_${service.toUpperCase()}`)]),
);
const admin = db.getSiblingDB("admin");
admin.auth("root", given("MONGO_ROOT_PASSWORD")); // here, not among mongosh's arguments, which others can read

try {
  rs.status();
} catch (error) {
  if (error.codeName !== "NotYetInitialized") throw error;
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: MEMBER }] });
}
for (let waited = 0; !db.hello().isWritablePrimary; waited += 1) {
  if (waited >= 60) throw new Error("the replica set has had no primary for a minute");
  sleep(1000);
}

for (const service of SERVICES) {
  const rights = { pwd: passwords[service], roles: [{ role: "readWrite", db: service }] };
  if (admin.getUser(service) === null) {
    admin.createUser({ user: service, ...rights });
  } else {
    admin.updateUser(service, rights);
  }
}
print("the replica set has a primary, and every service its user");
