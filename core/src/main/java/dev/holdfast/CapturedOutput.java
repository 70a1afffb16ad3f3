package dev.holdfast;

import java.nio.charset.StandardCharsets;

/** What was captured of a command's output. Immutable. */
public final class CapturedOutput {
  static final CapturedOutput NOTHING = new CapturedOutput(new byte[0], true);

  private final byte[] bytes;
  private final boolean complete;

  CapturedOutput(byte[] bytes, boolean complete) {
    this.bytes = bytes;
    this.complete = complete;
  }

  /** A copy of the bytes. */
  public byte[] bytes() {
    return bytes.clone();
  }

  /** As UTF-8 text. */
  public String text() {
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /**
   * False if the end of the stream was not reached: a process that escaped the job held it open.
   */
  public boolean isComplete() {
    return complete;
  }

  /** How much it is; the bytes themselves may be secret. */
  @Override
  public String toString() {
    return "CapturedOutput[" + bytes.length + " bytes" + (complete ? "" : ", incomplete") + "]";
  }
}
