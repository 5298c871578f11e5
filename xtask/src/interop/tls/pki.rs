//! Authorities and certificates, good and bad, made by OpenSSL when they are needed.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::super::lab::Lab;
use crate::Outcome;

/// A certificate: it stands with its chain in `NAME.crt`, and with its key in front in `NAME.pem`.
struct Leaf {
    name: &'static str,
    /// Whose it is.
    subject: &'static str,
    /// For whom it stands.
    names: &'static str,
    usage: &'static str,
    /// Who issues it.
    by: &'static str,
    /// From when until when, as ASN.1 writes it.
    valid: [&'static str; 2],
}

/// The least that the rest differ from.
const GOOD: Leaf = Leaf {
    name: "localhost",
    subject: "localhost",
    names: "DNS:localhost,IP:127.0.0.1",
    usage: "serverAuth",
    by: "ca",
    valid: ["20200101000000Z", "20990101000000Z"],
};

const CLIENT: Leaf =
    Leaf { name: "client", subject: "a guest", names: "", usage: "clientAuth", ..GOOD };

const LEAVES: &[Leaf] = &[
    GOOD,
    Leaf { name: "birds", subject: "birds.example", names: "DNS:birds.example", ..GOOD },
    Leaf { name: "expired", valid: ["20200101000000Z", "20210101000000Z"], ..GOOD },
    Leaf { name: "early", valid: ["20900101000000Z", "20990101000000Z"], ..GOOD },
    Leaf { name: "unnamed", names: "", ..GOOD },
    Leaf { name: "revoked", ..GOOD },
    Leaf { name: "foreign", by: "other", ..GOOD },
    Leaf { name: "purpose", usage: "clientAuth", ..GOOD },
    CLIENT,
    Leaf { name: "client-revoked", ..CLIENT },
    Leaf { name: "client-foreign", by: "other", ..CLIENT },
    Leaf { name: "client-expired", valid: ["20200101000000Z", "20210101000000Z"], ..CLIENT },
];

/// What `openssl ca` has to be told.
const CONFIG: &str = "[req]
distinguished_name = none
prompt = no
[none]
[ca]
default_ca = main
[main]
database = index
new_certs_dir = issued
rand_serial = yes
crlnumber = crlnumber
unique_subject = no
default_md = sha256
default_days = 30
default_crl_days = 30
crl_extensions = crl
policy = any
[any]
commonName = supplied
[crl]
authorityKeyIdentifier = keyid
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[own]
subjectAltName = DNS:localhost
";

/// Makes them all, in the laboratory's folder.
pub(super) fn make(lab: &Lab) -> Outcome {
    let openssl = |arguments: &[&str]| lab.run("openssl", arguments)?.ended(0);
    let mut config = CONFIG.to_owned();
    for leaf in LEAVES {
        let Leaf { name, names, usage, .. } = leaf;
        let alternative =
            if names.is_empty() { String::new() } else { format!("subjectAltName = {names}\n") };
        config.push_str(&format!(
            "[{name}]\nbasicConstraints = critical,CA:FALSE\nextendedKeyUsage = {usage}\n\
             authorityKeyIdentifier = keyid\n{alternative}"
        ));
    }
    lab.write("ca.conf", config)?;
    lab.write("index", "")?;
    lab.write("crlnumber", "01\n")?;
    lab.folder("issued")?;
    let new_key = |name: &str| {
        let key = format!("{name}.key");
        let curve = ["-pkeyopt", "ec_paramgen_curve:P-256"];
        openssl(&[&["genpkey", "-algorithm", "EC", "-out", &key], &curve[..]].concat()).map(|_| key)
    };
    let self_signed = |name: &str, subject: &str, extensions: &str, key: &str| {
        let (subject, out) = (format!("/CN={subject}"), format!("{name}.crt"));
        let made = ["req", "-x509", "-config", "ca.conf", "-key", key, "-days", "30"];
        let more = ["-subj", &subject, "-extensions", extensions, "-out", &out];
        openssl(&[&made[..], &more].concat())
    };
    for (name, subject) in [("ca", "Interop CA"), ("other", "Another CA")] {
        self_signed(name, subject, "authority", &new_key(name)?)?;
    }
    let key = new_key("leaf")?;
    for leaf in LEAVES {
        let Leaf { name, subject, by, valid: [from, until], .. } = leaf;
        let (request, out) = (format!("{name}.csr"), format!("{name}.crt"));
        let subject = format!("/CN={subject}");
        let asked = ["req", "-new", "-config", "ca.conf", "-key", &key];
        openssl(&[&asked[..], &["-subj", &subject, "-out", &request]].concat())?;
        let (issuer, issuer_key) = (format!("{by}.crt"), format!("{by}.key"));
        openssl(&[
            "ca",
            "-batch",
            "-notext",
            "-config",
            "ca.conf",
            "-cert",
            &issuer,
            "-keyfile",
            &issuer_key,
            "-extensions",
            name,
            "-startdate",
            from,
            "-enddate",
            until,
            "-in",
            &request,
            "-out",
            &out,
        ])?;
    }
    self_signed("self", "localhost", "own", &key)?;
    for name in LEAVES.iter().map(|leaf| leaf.name).chain(["self"]) {
        let certificate = lab.read(&format!("{name}.crt"))?;
        let both = [lab.read(&key)?, certificate].concat();
        let path = lab.write(&format!("{name}.pem"), both)?;
        // Keys that others can read are warned of.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))
            .map_err(|error| format!("cannot protect {}: {error}", path.display()))?;
    }
    let by_ca = ["ca", "-config", "ca.conf", "-cert", "ca.crt", "-keyfile", "ca.key"];
    for name in ["revoked.crt", "client-revoked.crt"] {
        openssl(&[&by_ca[..], &["-revoke", name]].concat())?;
    }
    openssl(&[&by_ca[..], &["-gencrl", "-out", "crl.pem"]].concat()).map(drop)
}
