import java.io.FileInputStream;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.PKIXRevocationChecker;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** Checks a certificate with Java's own checker: its arguments are the files of the anchor, the issuer and the certificate. */
public class PkixCheck {
    public static void main(String[] files) throws Exception {
        var factory = CertificateFactory.getInstance("X.509");
        var read = new X509Certificate[files.length];
        for (int i = 0; i < files.length; i++) {
            try (var file = new FileInputStream(files[i])) {
                read[i] = (X509Certificate) factory.generateCertificate(file);
            }
        }
        var validator = CertPathValidator.getInstance("PKIX");
        var checker = (PKIXRevocationChecker) validator.getRevocationChecker();
        checker.setOptions(EnumSet.of(PKIXRevocationChecker.Option.PREFER_CRLS));
        var parameters = new PKIXParameters(Set.of(new TrustAnchor(read[0], null)));
        parameters.addCertPathChecker(checker);
        try {
            validator.validate(factory.generateCertPath(List.of(read[2], read[1])), parameters);
            System.out.println("good");
        } catch (CertPathValidatorException refused) {
            System.out.println("refused: " + refused.getReason());
        }
    }
}
