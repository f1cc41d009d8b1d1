      * The door of the business program: what a mainframe's network
      * side sees. Text arrives and leaves in EBCDIC (code page 1147),
      * zoned digits with EBCDIC signs, native binary most significant
      * byte first. Some functions misbehave on demand, as old programs
      * do: a record cut short, a count beyond its table, packed digits
      * that are none.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. BKINQ.
       ENVIRONMENT DIVISION.
       CONFIGURATION SECTION.
       SPECIAL-NAMES.
           ALPHABET ZONED-HERE IS ASCII
           ALPHABET ZONED-THERE IS EBCDIC.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       COPY BKCODE.
       01  I                   PIC S9(9) COMP-5.
       01  SWAP-2              PIC X(2).
       01  SWAP-2-HERE  REDEFINES SWAP-2 PIC S9(4) COMP-5.
       01  SWAP-2-THERE REDEFINES SWAP-2 PIC S9(4) COMP.
       01  SWAP-8              PIC X(8).
       01  SWAP-8-HERE  REDEFINES SWAP-8 PIC 9(18) COMP-5.
       01  SWAP-8-THERE REDEFINES SWAP-8 PIC 9(18) COMP.
       01  ASKED               PIC X(4).
      * GnuCOBOL 3.1 counts an overlay twice in the LENGTH OF a record
      * with a variable table, so the lengths are said here.
       01  FIXED-BYTES         PIC S9(9) COMP-5 VALUE 148.
       01  ACCOUNT-BYTES       PIC S9(9) COMP-5 VALUE 27.
       LINKAGE SECTION.
       COPY BKINQ.
       01  BYTES-USED          PIC S9(9) COMP-5.
       PROCEDURE DIVISION USING BK-INQUIRY BYTES-USED.
       ANSWER.
           MOVE 0 TO BK-NB-ACCOUNTS
           IF BYTES-USED < FIXED-BYTES
             SET BK-SHORT-RECORD TO TRUE
           ELSE
             PERFORM TEXT-COMES-IN
             MOVE BK-FUNCTION TO ASKED
             PERFORM STALL-OR-ABEND
             IF ASKED = 'CUT1' OR 'ODO1' OR 'PCK1'
               MOVE 'INQ1' TO BK-FUNCTION
             END-IF
             CALL 'BKBOOK' USING BK-INQUIRY
             MOVE ASKED TO BK-FUNCTION
             PERFORM TEXT-GOES-OUT
             IF BK-DONE
               PERFORM ANSWER-GOES-OUT
             END-IF
           END-IF
           COMPUTE BYTES-USED =
             FIXED-BYTES + ACCOUNT-BYTES * BK-NB-ACCOUNTS
           PERFORM SPOIL-THE-ANSWER
           GOBACK.

       TEXT-COMES-IN.
           INSPECT BK-FUNCTION CONVERTING TEXT-THERE TO TEXT-HERE
           INSPECT BK-NOTE CONVERTING TEXT-THERE TO TEXT-HERE
           INSPECT BK-CUSTOMER-ID CONVERTING ZONED-THERE TO ZONED-HERE
           INSPECT BK-WANTED CONVERTING ZONED-THERE TO ZONED-HERE.

       TEXT-GOES-OUT.
           INSPECT BK-FUNCTION CONVERTING TEXT-HERE TO TEXT-THERE
           INSPECT BK-NOTE CONVERTING TEXT-HERE TO TEXT-THERE
           INSPECT BK-CUSTOMER-ID CONVERTING ZONED-HERE TO ZONED-THERE
           INSPECT BK-WANTED CONVERTING ZONED-HERE TO ZONED-THERE.

       ANSWER-GOES-OUT.
           INSPECT BK-NAME CONVERTING TEXT-HERE TO TEXT-THERE
           INSPECT BK-SEGMENT CONVERTING TEXT-HERE TO TEXT-THERE
           INSPECT BK-RATE (1:8) CONVERTING ZONED-HERE TO ZONED-THERE
           INSPECT BK-OVERDRAFT (1:9)
             CONVERTING ZONED-HERE TO ZONED-THERE
           INSPECT BK-OPENED-ON CONVERTING ZONED-HERE TO ZONED-THERE
           MOVE BK-SCORE TO SWAP-2-THERE
           MOVE SWAP-2-HERE TO BK-SCORE
           MOVE BK-STAMP TO SWAP-8-THERE
           MOVE SWAP-8-HERE TO BK-STAMP
           IF BK-BY-PHONE
             INSPECT BK-PHONE CONVERTING TEXT-HERE TO TEXT-THERE
           ELSE
             INSPECT BK-POST-STREET CONVERTING TEXT-HERE TO TEXT-THERE
             INSPECT BK-POST-CODE CONVERTING TEXT-HERE TO TEXT-THERE
           END-IF
           INSPECT BK-CONTACT-KIND CONVERTING TEXT-HERE TO TEXT-THERE
           PERFORM VARYING I FROM 1 BY 1 UNTIL I > BK-NB-ACCOUNTS
             INSPECT BK-ACCOUNT-NO (I)
               CONVERTING TEXT-HERE TO TEXT-THERE
             INSPECT BK-ACCOUNT-TYPE (I)
               CONVERTING TEXT-HERE TO TEXT-THERE
           END-PERFORM.

       STALL-OR-ABEND.
           EVALUATE ASKED
             WHEN 'WAIT'
               CALL 'C$SLEEP' USING 3600
             WHEN 'DIE1'
               STOP RUN
           END-EVALUATE.

       SPOIL-THE-ANSWER.
           EVALUATE ASKED
             WHEN 'CUT1'
               MOVE 60 TO BYTES-USED
             WHEN 'ODO1'
               MOVE 21 TO BK-NB-ACCOUNTS
             WHEN 'PCK1'
      * Balance: the seven bytes after the branch.
               MOVE ALL X'FA' TO BK-INQUIRY (71:7)
           END-EVALUATE.
