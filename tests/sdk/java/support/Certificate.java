// A certificate and its key as a developer makes them, with the openssl command; and an SSLContext of both for a client.
package support;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

public final class Certificate {
  private static final char[] PASSWORD = "nearhub".toCharArray();
  private static final Path FOLDER = Path.of(System.getProperty("nearhub.work"));

  private final Path certificate;
  private final Path key;
  private final Path chain;

  private Certificate(String name) {
    certificate = FOLDER.resolve(name + ".pem");
    key = FOLDER.resolve(name + "-key.pem");
    chain = FOLDER.resolve(name + "-chain.pem");
  }

  public static Certificate selfSigned(String commonName) throws Exception {
    Certificate made = new Certificate(Hub.freshId("self"));
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1", "-subj", "/CN=" + commonName,
        "-addext", "basicConstraints=critical,CA:true", "-keyout", made.key.toString(), "-out", made.certificate.toString());
    Files.copy(made.certificate, made.chain);
    return made;
  }

  // A module's name has a slash: device/module.
  public Certificate issue(String commonName) throws Exception {
    Certificate made = new Certificate(Hub.freshId("leaf"));
    Path request = FOLDER.resolve(made.key.getFileName() + ".csr");
    Path extensions = FOLDER.resolve(made.key.getFileName() + ".ext");
    Files.writeString(extensions, "basicConstraints=critical,CA:false\nextendedKeyUsage=clientAuth\n");
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + commonName.replace("/", "\\/"),
        "-keyout", made.key.toString(), "-out", request.toString());
    openssl("x509", "-req", "-in", request.toString(), "-CA", certificate.toString(), "-CAkey", key.toString(), "-CAcreateserial", "-days", "1",
        "-extfile", extensions.toString(), "-out", made.certificate.toString());
    Files.writeString(made.chain, Files.readString(made.certificate) + Files.readString(chain));
    return made;
  }

  public String pem() throws Exception {
    return Files.readString(certificate);
  }

  public String thumbprint(String hash) throws Exception {
    java.security.cert.Certificate parsed;
    try (InputStream in = new ByteArrayInputStream(Files.readAllBytes(certificate))) {
      parsed = java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
    return HexFormat.of().withUpperCase().formatHex(MessageDigest.getInstance(hash).digest(parsed.getEncoded()));
  }

  // Shows this certificate with its chain, and trusts what the JVM trusts.
  public SSLContext context() throws Exception {
    Path store = FOLDER.resolve(key.getFileName() + ".p12");
    openssl("pkcs12", "-export", "-in", chain.toString(), "-inkey", key.toString(), "-passout", "pass:" + new String(PASSWORD), "-out", store.toString());
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(store)) {
      keys.load(in, PASSWORD);
    }
    KeyManagerFactory managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD);
    SSLContext context = SSLContext.getInstance("TLSv1.2");
    context.init(managers.getKeyManagers(), null, null);
    return context;
  }

  private static void openssl(String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("openssl"));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) throw new AssertionError(command + ": " + output);
  }
}
