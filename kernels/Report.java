import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

/**
 * Reads JUnit's XML reports below a directory: prints the failures for a reader, and as the last line {@code PASSED FAILED
 * SKIPPED}. Run from its source: {@code java kernels/Report.java DIRECTORY}.
 */
final class Report {

  public static void main(String[] args) throws Exception {
    int tests = 0;
    int failed = 0;
    int skipped = 0;
    List<Path> files;
    try (var tree = Files.walk(Path.of(args[0]))) {
      files = tree.filter(f -> f.getFileName().toString().matches("TEST-.*\\.xml")).sorted().toList();
    }
    for (Path file : files) {
      var cases =
          DocumentBuilderFactory.newInstance()
              .newDocumentBuilder()
              .parse(file.toFile())
              .getElementsByTagName("testcase");
      for (int i = 0; i < cases.getLength(); i++) {
        Element test = (Element) cases.item(i);
        tests++;
        Element failure = child(test, "failure", "error");
        if (failure != null) {
          failed++;
          print(test, failure);
        } else if (child(test, "skipped") != null) {
          skipped++;
        }
      }
    }
    System.out.println((tests - failed - skipped) + " " + failed + " " + skipped);
  }

  private static Element child(Element parent, String... names) {
    for (String name : names) {
      if (parent.getElementsByTagName(name).item(0) instanceof Element found) {
        return found;
      }
    }
    return null;
  }

  /** The message, which stands in the trace too, and where in our own code it came from. */
  private static void print(Element test, Element failure) {
    System.out.println("  FAILED " + test.getAttribute("classname") + " " + test.getAttribute("name"));
    List<String> lines = failure.getTextContent().strip().lines().toList();
    lines.stream().filter(line -> !line.startsWith("\tat ")).limit(15).forEach(line -> System.out.println("    " + line));
    lines.stream()
        .filter(line -> line.startsWith("\tat ") && !line.matches("\tat (java\\.base|org\\.junit|org\\.assertj|jdk\\.).*"))
        .limit(4)
        .forEach(line -> System.out.println("      " + line.strip()));
  }
}
